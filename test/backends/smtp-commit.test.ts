import { afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { CommitTrial, errorsOf, outcomes, WITHHELD } from '../commit-trial.ts';
import { fc } from '../properties.ts';
import { connectTo, mails, mailTo, verbs } from './smtp-fixture.ts';

let server: ScriptedSmtpServer;

beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
  return () => server.close();
});

afterEach(() => server.reset());

/** The recipients of the mails that arrived, as numbers, in order. */
function arrived(): readonly number[] {
  return server.messages.flatMap(({ envelope }) => envelope.rcptTo.map((address) => Number(/\d+/.exec(address)?.[0])));
}

describe('a mail that must be written down before it leaves', () => {
  test.each([
    ['BDAT', {}],
    ['DATA', { chunking: false }],
    ['one command at a time', { pipelining: false }],
  ])(
    'is asked for once there is a connection, and nothing of it is written before the answer: %s',
    async (_, options) => {
      const backend = connectTo(server, options);
      const trial = new CommitTrial(() => null);
      const sending = trial.deliver(backend, mails(1));
      await expect.poll(() => trial.asked).toEqual([[0]]);
      expect(backend.stats().connections).toMatchObject({ queued: 1, inFlight: 0, opened: 1 });
      expect(verbs(server)).toEqual([]);
      await backend.sendMessages([mailTo('user9@example.com')]); // others go meanwhile
      expect(arrived()).toEqual([9]);
      trial.answer(0, true);
      expect(outcomes(await sending)).toEqual(['sent 250']);
      expect(arrived()).toEqual([9, 0]);
      expect(trial.asked).toEqual([[0]]);
    },
  );

  test('is not sent after a no, and may be tried later', async () => {
    const backend = connectTo(server, { retry: { attempts: 3, baseMs: 1 } });
    const trial = new CommitTrial(() => false);
    const results = await trial.deliver(backend, mails(1));
    expect(errorsOf(results)).toMatchObject([WITHHELD]);
    expect(outcomes(results)).toEqual(['failed aborted']);
    expect(verbs(server)).toEqual([]);
    expect(trial.asked).toEqual([[0]]);
  });

  test('is not sent when the question fails, and the error tells why', async () => {
    const trial = new CommitTrial(() => new Error('the disk is full'));
    const results = await trial.deliver(connectTo(server), mails(1));
    const cause = { message: 'the disk is full' };
    expect(errorsOf(results)).toMatchObject([
      { ...WITHHELD, message: expect.stringContaining('the disk is full'), cause },
    ]);
    expect(verbs(server)).toEqual([]);
  });

  test('is never asked for while there is no connection', async () => {
    server.on('connect', { reply: '554 5.3.2 No service today', end: 'fin' });
    const trial = new CommitTrial();
    const results = await trial.deliver(connectTo(server, { retry: { attempts: 2, baseMs: 1 } }), mails(3));
    expect(errorsOf(results).map((error) => error?.outcome)).toEqual(['not-sent', 'not-sent', 'not-sent']);
    expect(trial.asked).toEqual([]);
  });

  test.each([
    ['its call is aborted', (signal: AbortSignal) => ({ signal })],
    ['it is given up alone', (signal: AbortSignal) => ({ changes: { signal } })],
  ])('and is being asked for is settled at once when %s, and never sent', async (_, options) => {
    const backend = connectTo(server, { maxConnections: 1 });
    const trial = new CommitTrial(() => null);
    const controller = new AbortController();
    const sending = trial.deliver(backend, mails(2), options(controller.signal));
    await expect.poll(() => trial.asked).toEqual([[0, 1]]);
    controller.abort();
    const text = expect.stringContaining('the call was aborted, before the message was sent');
    expect(errorsOf(await sending).map((error) => error?.message)).toEqual([text, text]);
    trial.answer(0, true);
    trial.answer(1, true);
    await backend.sendMessages([mailTo('user7@example.com')]);
    expect(arrived()).toEqual([7]);
    expect(backend.stats().connections).toMatchObject({ queued: 0, opened: 1 });
  });

  test('is waited for by close()', async () => {
    const backend = connectTo(server);
    const trial = new CommitTrial(() => null);
    const sending = trial.deliver(backend, mails(1));
    await expect.poll(() => trial.asked).toEqual([[0]]);
    const closing = backend.close();
    trial.answer(0, true);
    await closing;
    expect(outcomes(await sending)).toEqual(['sent 250']);
    expect(server.commands.at(-1)).toBe('QUIT');
  });

  test('goes over a connection that is not kept', async () => {
    const backend = connectTo(server, { idleMs: 0, maxConnections: 1 });
    expect(outcomes(await new CommitTrial().deliver(backend, mails(3)))).toEqual(Array(3).fill('sent 250'));
    expect(outcomes(await new CommitTrial(() => false).deliver(backend, mails(1)))).toEqual(['failed aborted']);
    await expect.poll(() => server.openConnections).toBe(0);
    await backend.close();
    expect(server.connections.length).toBe(2);
  });

  test('goes over a new connection when the only one has become too old', async () => {
    const backend = connectTo(server, { maxMessages: 2, maxConnections: 1 });
    expect(outcomes(await new CommitTrial().deliver(backend, mails(5)))).toEqual(Array(5).fill('sent 250'));
    expect(arrived()).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('many mails that must be written down', () => {
  test('are asked for in few turns, a group at once, and go in their order', async () => {
    const backend = connectTo(server, { maxConnections: 1, maxInFlight: 20 });
    await backend.sendMessages(mails(30)); // the server is known to take many at once
    const before = server.messages.length;
    const trial = new CommitTrial();
    expect(outcomes(await trial.deliver(backend, mails(20)))).toEqual(Array(20).fill('sent 250'));
    expect(arrived().slice(before)).toEqual([...Array(20).keys()]);
    expect(trial.asked.flat()).toEqual([...Array(20).keys()]);
    expect(trial.asked.length).toBeLessThanOrEqual(3);
  });

  test('are not asked for beyond what the connections will take soon', async () => {
    const backend = connectTo(server, { maxConnections: 1, maxInFlight: 5 });
    const trial = new CommitTrial(() => null);
    const sending = trial.deliver(backend, mails(10));
    await expect.poll(() => trial.asked).toEqual([[0, 1, 2, 3, 4]]);
    trial.answer(0, true);
    await expect.poll(() => trial.asked.flat()).toEqual([0, 1, 2, 3, 4, 5]);
    for (let index = 1; index < 10; index++) {
      await expect.poll(() => trial.asked.flat()).toContain(index);
      trial.answer(index, true);
    }
    expect(outcomes(await sending)).toEqual(Array(10).fill('sent 250'));
  });

  test('do not hold up those whose answer has come', async () => {
    const backend = connectTo(server, { maxConnections: 1 });
    const trial = new CommitTrial((index) => (index === 0 ? null : index !== 2));
    const sending = trial.deliver(backend, mails(4));
    await expect.poll(arrived).toEqual([1, 3]);
    trial.answer(0, true);
    expect(outcomes(await sending)).toEqual(['sent 250', 'sent 250', 'failed aborted', 'sent 250']);
    expect(arrived()).toEqual([1, 3, 0]);
  });

  test.each([
    ['421 to MAIL', () => server.once('MAIL', '421 4.3.2 Restarting')],
    ['a connection lost at MAIL', () => server.once('MAIL', { end: 'rst' })],
  ])('are asked for once, over as many connections as it takes: %s', async (_, happen) => {
    const backend = connectTo(server, { maxConnections: 1, chunking: false, retry: { attempts: 3, baseMs: 1 } });
    happen();
    const trial = new CommitTrial();
    const results = await trial.deliver(backend, mails(5));
    expect(outcomes(results)).toEqual(Array(5).fill('sent 250'));
    expect(server.connections.length).toBeGreaterThan(1);
    expect(trial.counts).toEqual({ 0: 1, 1: 1, 2: 1, 3: 1, 4: 1 });
  });

  test('are asked for once when a refusal for now is tried again', async () => {
    server.once('message', '451 4.3.0 Try later');
    const backend = connectTo(server, { retry: { attempts: 2, baseMs: 1 } });
    const trial = new CommitTrial();
    expect(outcomes(await trial.deliver(backend, mails(2)))).toEqual(['sent 250', 'sent 250']);
    expect(trial.counts).toEqual({ 0: 1, 1: 1 });
  });

  test('wait for the answer of a connection that was idle for long before they are asked for', async () => {
    const backend = connectTo(server, { maxConnections: 1 });
    await backend.sendMessages(mails(1));
    // Later, without a wait.
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 5_000);
    onTestFinished(() => clock.mockRestore());
    server.on('RSET', { end: 'rst' });
    server.on('connect', { reply: '554 5.3.2 No service today', end: 'fin' });
    const trial = new CommitTrial();
    expect(errorsOf(await trial.deliver(backend, mails(1)))).toMatchObject([{ outcome: 'not-sent' }]);
    expect(trial.asked).toEqual([]);
  });

  test('are each answered once, and sent only after a yes, whatever the order of the answers', async () => {
    const shape = fc.record({
      answers: fc.array(fc.constantFrom(true, false, new Error('no')), { minLength: 1, maxLength: 15 }),
      picks: fc.infiniteStream(fc.nat(1_000)),
      maxInFlight: fc.integer({ min: 1, max: 8 }),
      maxConnections: fc.integer({ min: 1, max: 3 }),
      refusals: fc.integer({ min: 0, max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ answers, picks, maxInFlight, maxConnections, refusals }) => {
        server.reset();
        for (let count = 0; count < refusals; count++) server.once('MAIL', '421 4.3.2 Restarting');
        const backend = connectTo(server, {
          maxInFlight,
          maxConnections,
          chunking: false,
          retry: { attempts: 1, baseMs: 1 },
        });
        const open: number[] = [];
        const trial = new CommitTrial((index) => {
          open.push(index);
          return null;
        });
        let isDone = false;
        const sending = trial.deliver(backend, mails(answers.length)).finally(() => {
          isDone = true;
        });
        while (!isDone) {
          await new Promise(setImmediate);
          const [index] = open.length > 0 ? open.splice((picks.next().value ?? 0) % open.length, 1) : [];
          if (index !== undefined) trial.answer(index, answers[index] ?? false);
        }
        const results = await sending;
        await backend.close();
        expect(Object.values(trial.counts).every((count) => count === 1)).toBe(true);
        const sent = errorsOf(results).flatMap((error, index) => (error === null ? [index] : []));
        expect([...arrived()].toSorted((a, b) => a - b)).toEqual(sent);
        expect(sent.every((index) => answers[index] === true)).toBe(true);
        expect(results.map(({ index }) => index)).toEqual([...answers.keys()]);
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });
});
