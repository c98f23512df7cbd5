import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { connectTo, mails, mailTo } from './smtp-fixture.ts';

let server: ScriptedSmtpServer;

beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
  return () => server.close();
});

afterEach(() => server.reset());

const offer = (...extensions: readonly string[]) => server.on('EHLO', ['250 localhost', ...extensions].join('\n'));
const SILENCE = { delayMs: 600_000, reply: '250 2.0.0 Ok' };
/** Leaves the mail to slow@example.com unanswered, which need not be the first to arrive. */
const stallSlow = () =>
  server.on('message', ({ connection }) => {
    const recipient = connection.commands.findLast((line) => line.startsWith('RCPT'));
    return recipient?.includes('slow@') ? SILENCE : undefined;
  });

describe('mails that wait', () => {
  it.each([[['PIPELINING', 'CHUNKING']], [['PIPELINING']], [[]]] as const)(
    'go over other connections while the first mail of all is unanswered, with %j',
    async (extensions) => {
      offer(...extensions);
      stallSlow();
      const backend = connectTo(server);
      const abort = new AbortController();
      const slow = backend.sendMessages([mailTo('slow@example.com')], { signal: abort.signal, failSilently: true });
      const others = await Promise.all(mails(20).map((mail) => backend.sendMessages([mail])));
      expect(others.every(({ isSuccess }) => isSuccess)).toBe(true);
      abort.abort();
      expect((await slow).recipients.get('slow@example.com')?.status).toBe('unknown');
    },
  );

  it.each([0, 20, 60, 150])(
    'are not put behind an unanswered mail while other connections answer, which open %d ms later',
    async (delayMs) => {
      offer('PIPELINING');
      server.once('connect', undefined).on('connect', { delayMs, reply: '220 localhost' });
      server.on('message', ({ connection }) => {
        const recipient = connection.commands.findLast((line) => line.startsWith('RCPT'));
        return recipient?.includes('slow@') ? SILENCE : { delayMs: 10, reply: '250 2.0.0 Ok' };
      });
      const backend = connectTo(server, { maxConnections: 4 });
      const abort = new AbortController();
      const slow = backend.sendMessages([mailTo('slow@example.com')], { signal: abort.signal, failSilently: true });
      const others = await Promise.all(mails(80).map((mail) => backend.sendMessages([mail])));
      expect(others.every(({ isSuccess }) => isSuccess)).toBe(true);
      abort.abort();
      await slow;
    },
  );

  it('get a connection again after one could not be opened, although another one is busy', async () => {
    offer('PIPELINING');
    const backend = connectTo(server, { maxInFlight: 1 });
    stallSlow().once('connect', undefined).once('connect', '421 4.3.2 Busy');
    const abort = new AbortController();
    const slow = backend.sendMessages([mailTo('slow@example.com')], { signal: abort.signal, failSilently: true });
    const others = await Promise.all(mails(3).map((mail) => backend.sendMessages([mail])));
    expect(others.every(({ isSuccess }) => isSuccess)).toBe(true);
    abort.abort();
    await slow;
  });

  it('get a connection when the call before them is aborted, and its connection is done with', async () => {
    offer('PIPELINING');
    server.once('message', SILENCE).once('message', SILENCE);
    const backend = connectTo(server, { maxConnections: 2, maxInFlight: 1 });
    const aborts = [new AbortController(), new AbortController()];
    const slow = aborts.map(({ signal }, index) =>
      backend.sendMessages([mailTo(`slow${index}@example.com`)], { signal, failSilently: true }),
    );
    await expect.poll(() => backend.stats().connections.inFlight).toBe(2);
    const waiting = backend.sendMessages(mails(1));
    aborts[0]?.abort();
    expect((await waiting).isSuccess).toBe(true);
    aborts[1]?.abort();
    await Promise.all(slow);
  });

  it('get a connection when its mails are answered but for one that was aborted', async () => {
    let answerFirst = () => {};
    const turn = new Promise<void>((resolve) => {
      answerFirst = resolve;
    });
    await using own = await ScriptedSmtpServer.start({
      delay: (ms) => (ms === SILENCE.delayMs ? new Promise(() => {}) : turn),
    });
    own.on('EHLO', '250 localhost\nPIPELINING\nCHUNKING');
    const backend = connectTo(own, { maxConnections: 1 });
    for (const mail of mails(3)) await backend.sendMessages([mail]); // a server that is known may have several to answer
    own.once('message', { delayMs: 1, reply: '250 2.0.0 Ok' }).once('message', SILENCE);
    const abort = new AbortController();
    const first = backend.sendMessages([mailTo('first@example.com')]);
    const slow = backend.sendMessages([mailTo('slow@example.com')], { signal: abort.signal, failSilently: true });
    await expect.poll(() => backend.stats().connections.inFlight).toBe(2);
    abort.abort();
    expect((await slow).recipients.get('slow@example.com')?.status).toBe('unknown');
    answerFirst();
    expect((await first).isSuccess).toBe(true);
    expect((await backend.sendMessages([mailTo('next@example.com')])).isSuccess).toBe(true);
  });

  it('do not go over a connection whose last writes have not left, which is no reason to look at it for ever', async () => {
    offer();
    // A tunnel that takes what is written at once, and says so later than the server answers.
    const socket = (): Duplex => {
      const raw = connect(server.port, server.host);
      const tunnel = new Duplex({
        writableHighWaterMark: 4096,
        read: () => {},
        write(chunk, _, done) {
          raw.write(chunk);
          setTimeout(done, 30);
        },
        final(done) {
          raw.end();
          done();
        },
        destroy(error, done) {
          raw.destroy();
          done(error);
        },
      });
      raw.on('data', (chunk) => tunnel.push(chunk)).on('end', () => tunnel.push(null));
      raw.on('error', (error) => tunnel.destroy(error));
      return tunnel;
    };
    const backend = connectTo(server, { socket, maxConnections: 1 });
    const body = `${'x'.repeat(70)}\n`.repeat(100);
    for (const name of ['a', 'b', 'c']) {
      expect((await backend.sendMessages([mailTo(`${name}@example.com`, { body })])).isSuccess).toBe(true);
    }
  });
});

describe('close()', () => {
  it('waits for no answer to RSET', async () => {
    offer('PIPELINING', 'CHUNKING');
    server.on('RSET', SILENCE);
    const backend = connectTo(server);
    await backend.sendMessages(mails(1));
    await backend.close();
    expect(server.commands.at(-1)).toMatch(/^(?:RSET|QUIT)$/);
  });
});
