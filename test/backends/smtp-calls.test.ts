import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EmailError } from '../../src/model/errors.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { connectTo, mails, mailTo, verbs } from './smtp-fixture.ts';

let server: ScriptedSmtpServer;

beforeAll(async () => {
  server = await ScriptedSmtpServer.start({ users: { jane: 'secret' } });
  return () => server.close();
});

afterEach(() => server.reset());

async function failure(promise: Promise<unknown>): Promise<EmailError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof EmailError)) throw new Error(`no EmailError: ${String(error)}`);
  return error;
}

describe('retry', () => {
  it('tries again only what was refused for now, and only those recipients', async () => {
    server.on('RCPT', ({ argument, count }) =>
      argument.includes('slow@') && count < 6 ? '450 4.2.0 Later' : undefined,
    );
    const backend = connectTo(server, { retry: { attempts: 5, baseMs: 1, maxMs: 5 } });
    const status = await backend.sendMessages([mailTo(['fast@example.com', 'slow@example.com'])]);
    expect(status.isSuccess).toBe(true);
    expect(server.messages.map(({ envelope }) => envelope.rcptTo)).toEqual([
      ['fast@example.com'],
      ['slow@example.com'],
    ]);
  });

  it('gives up after so many tries, and never tries what was refused for good', async () => {
    server.on('message', ({ count }) => (count === 3 ? '550 5.7.1 No' : '451 4.0.0 Later'));
    const backend = connectTo(server, { retry: { attempts: 10, baseMs: 1 } });
    expect((await failure(backend.sendMessages(mails(1)))).code).toBe('rejected');
    expect(verbs(server).filter((verb) => verb === 'MAIL')).toHaveLength(3);
    server.reset();
    server.on('message', '451 4.0.0 Later');
    const twice = connectTo(server, { retry: { attempts: 2, baseMs: 1 } });
    expect((await failure(twice.sendMessages(mails(1)))).code).toBe('temporary');
    expect(verbs(server).filter((verb) => verb === 'MAIL')).toHaveLength(2); // tries, the first included
  });

  it('is off unless asked for', async () => {
    server.on('RCPT', '450 4.2.0 Later');
    await failure(connectTo(server).sendMessages(mails(1)));
    expect(verbs(server).filter((verb) => verb === 'MAIL')).toHaveLength(1);
  });
});

describe('a call that is given up', () => {
  it('before anything was sent fails at once', async () => {
    server.on('connect', { delayMs: 60_000, reply: '220 x' });
    const abort = new AbortController();
    const sending = failure(connectTo(server).sendMessages(mails(3), { signal: abort.signal }));
    setTimeout(() => abort.abort(new Error('enough')), 20);
    const error = await sending;
    expect(error).toMatchObject({ code: 'aborted', outcome: 'not-sent' });
    expect([...(error.status?.recipients.values() ?? [])].map(({ status }) => status)).toEqual([
      'failed',
      'failed',
      'failed',
    ]);
  });

  it('after the end of the content is unknown', async () => {
    server.on('message', { delayMs: 60_000, reply: '250 Ok' });
    const abort = new AbortController();
    const sending = failure(connectTo(server).sendMessages(mails(1), { signal: abort.signal }));
    await expect.poll(() => verbs(server)).toContain('BDAT');
    abort.abort();
    expect(await sending).toMatchObject({ code: 'uncertain', outcome: 'unknown' });
  });

  it('does not take other calls with it', async () => {
    server.on('EHLO', '250 localhost\nPIPELINING');
    server.once('DATA', { delayMs: 100, reply: '354 Go on' });
    const backend = connectTo(server, { maxConnections: 1 });
    const abort = new AbortController();
    const first = failure(backend.sendMessages([mailTo('first@example.com')], { signal: abort.signal }));
    const second = backend.sendMessages([mailTo('second@example.com')]);
    await expect.poll(() => verbs(server)).toContain('DATA');
    abort.abort();
    expect(await first).toMatchObject({ code: 'aborted', outcome: 'not-sent' });
    expect((await second).isSuccess).toBe(true);
    expect(server.messages.map(({ envelope }) => envelope.rcptTo)).toEqual([['second@example.com']]);
  });

  it('while a connection is opened leaves the message of another call, queued just after, to be sent', async () => {
    server.once('connect', { delayMs: 100, reply: '220 localhost' });
    const backend = connectTo(server);
    const abort = new AbortController();
    const first = failure(backend.sendMessages([mailTo('first@example.com')], { signal: abort.signal }));
    await expect.poll(() => backend.stats().connections.connecting).toBe(1);
    abort.abort();
    const second = backend.sendMessages([mailTo('second@example.com')]);
    expect(await first).toMatchObject({ code: 'aborted', outcome: 'not-sent' });
    expect((await second).isSuccess).toBe(true);
  });

  it('while it waits for a token that never comes ends the login; the next call asks again', async () => {
    let asked = 0;
    const abort = new AbortController();
    const accessToken = (): Promise<string> => {
      if (++asked > 1) return Promise.resolve('secret');
      setImmediate(() => abort.abort());
      return new Promise(() => {});
    };
    const backend = connectTo(server, {
      username: 'jane',
      accessToken,
      authMethod: 'XOAUTH2',
      allowInsecureAuth: true,
    });
    const error = await failure(backend.sendMessages(mails(1), { signal: abort.signal }));
    expect(error).toMatchObject({ code: 'aborted', outcome: 'not-sent' });
    expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
    expect(asked).toBe(2);
  });

  it('by its deadline does not wait for a source that is silent', async () => {
    async function* source() {
      yield mailTo('first@example.com');
      await new Promise(() => {});
    }
    const error = await failure(connectTo(server, { deadlineMs: 2_000 }).sendMessages(source()));
    expect(error).toMatchObject({ code: 'timeout', status: { results: [{ index: 0, error: null }] } });
  });

  it('by its deadline has its time in the queue counted, and its connection is not used again', async () => {
    server.on('message', ({ count }) => (count === 1 ? { delayMs: 60_000, reply: '250 Ok' } : undefined));
    const backend = connectTo(server, { deadlineMs: 2_000, maxConnections: 1, maxInFlight: 1 });
    const calls = Array.from({ length: 4 }, () => failure(backend.sendMessages(mails(1))));
    const [first, ...queued] = await Promise.all(calls);
    expect(first).toMatchObject({ code: 'timeout', outcome: 'unknown' });
    for (const error of queued) expect(error).toMatchObject({ code: 'timeout', outcome: 'not-sent', retryable: true });
    expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
    expect(backend.stats().connections.opened).toBe(2);
  });

  it('by its deadline tells what was sent until then', async () => {
    server.on('message', ({ count }) => (count > 2 ? { delayMs: 60_000, reply: '250 Ok' } : undefined));
    const backend = connectTo(server, { deadlineMs: 2_000, maxConnections: 1, maxInFlight: 1 });
    const status = await backend.sendMessages(mails(5), { failSilently: true });
    const statuses = [...status.recipients.values()].map((recipient) => recipient.status);
    expect(statuses).toEqual(['sent', 'sent', 'unknown', 'failed', 'failed']);
    expect(status.results[4]?.error).toMatchObject({ code: 'timeout' });
  });

  it('before it began sends nothing', async () => {
    const error = await failure(connectTo(server).sendMessages(mails(2), { signal: AbortSignal.abort() }));
    expect(error.outcome).toBe('not-sent');
    expect(server.messages).toEqual([]);
  });
});

describe('stream()', () => {
  it('reads no further ahead than its pipelines can use', async () => {
    let read = 0;
    async function* source() {
      for (const mail of mails(1_000)) {
        read++;
        yield mail;
      }
    }
    const backend = connectTo(server, { maxConnections: 2, maxInFlight: 4 });
    const results = backend.stream(source());
    await results.next();
    await sleep(50);
    expect(read).toBeLessThanOrEqual(2 * 2 * 4 + 2);
    let count = 1;
    for await (const { error } of results) {
      expect(error).toBeNull();
      count++;
    }
    expect(count).toBe(1_000);
    expect(new Set(server.messages.flatMap(({ envelope }) => envelope.rcptTo)).size).toBe(1_000);
  });

  it('can be left early: what was taken is finished', async () => {
    const backend = connectTo(server, { maxConnections: 1 });
    for await (const { index } of backend.stream(mails(100))) if (index >= 5) break;
    await backend.close();
    expect(server.messages.length).toBeLessThan(100);
    await expect.poll(() => server.openConnections).toBe(0);
  });
});
