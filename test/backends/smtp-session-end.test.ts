import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SmtpBackendOptions } from '../../src/backends/smtp.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { connectTo, mails, mailTo } from './smtp-fixture.ts';

let server: ScriptedSmtpServer;

beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
  return () => server.close();
});

afterEach(() => server.reset());

const MODES = [
  { mode: 'CHUNKING', extensions: ['PIPELINING', 'CHUNKING'] },
  { mode: 'PIPELINING', extensions: ['PIPELINING'] },
  { mode: 'one command at a time', extensions: [] },
];
const BYE = { reply: '421 4.7.0 Too many errors', end: 'fin' } as const;

function offer(extensions: readonly string[]): void {
  server.on('EHLO', ['250 localhost', ...extensions].join('\n'));
}

async function outcomes(
  messages: readonly EmailMessageInit[],
  options: SmtpBackendOptions = {},
): Promise<Record<string, readonly string[]>> {
  const backend = connectTo(server, { maxConnections: 1, retry: { attempts: 1, baseMs: 1, maxMs: 1 }, ...options });
  const status = await backend.sendMessages(messages, { failSilently: true });
  const byStatus: Record<string, string[]> = {};
  for (const [address, recipient] of status.recipients) {
    byStatus[recipient.status] = [...(byStatus[recipient.status] ?? []), address];
  }
  return byStatus;
}

function taken(): readonly string[] {
  return server.messages.flatMap(({ envelope }) => envelope.rcptTo).sort();
}

describe.each(MODES)('a server that says 421, with $mode', ({ extensions }) => {
  it('after so many mails, and hangs up, gets the others over further connections, each once', async () => {
    offer(extensions);
    server.on('MAIL', ({ connection }) =>
      connection.commands.filter((command) => command.startsWith('MAIL')).length > 7 ? BYE : undefined,
    );
    const { sent, ...others } = await outcomes(mails(40));
    expect(others).toEqual({});
    expect(taken()).toEqual([...(sent ?? [])].sort());
    expect(new Set(taken()).size).toBe(40);
  });

  it('after so many mails, and refuses what follows without hanging up, does too', async () => {
    offer(extensions);
    server.on('MAIL', ({ connection }) =>
      connection.commands.filter((command) => command.startsWith('MAIL')).length > 7
        ? { reply: Buffer.from('421 too many messages in this connection\r\n') }
        : undefined,
    );
    const { sent, ...others } = await outcomes(mails(40));
    expect(others).toEqual({});
    expect(new Set(sent)).toEqual(new Set(taken()));
    expect(taken()).toHaveLength(40);
  });

  it('to one recipient of three decides about none of them', async () => {
    offer(extensions);
    server.once('RCPT', undefined).once('RCPT', BYE);
    const to = ['a@example.com', 'b@example.com', 'c@example.com'];
    expect(await outcomes([mailTo(to)])).toEqual({ sent: to });
    expect(taken()).toEqual(to);
  });

  it('behind a recipient that was refused leaves that one refused', async () => {
    offer(extensions);
    server.once('RCPT', '550 5.1.1 No such user').once('RCPT', BYE);
    const outcome = await outcomes([mailTo(['a@example.com', 'b@example.com', 'c@example.com'])]);
    expect(outcome).toEqual({ invalid: ['a@example.com'], sent: ['b@example.com', 'c@example.com'] });
  });

  it('to the same mail again and again has it fail in the end, and the others sent', async () => {
    offer(extensions);
    server.on('RCPT', ({ argument }) => (argument.includes('bad@') ? BYE : undefined));
    const messages = [mailTo('first@example.com'), mailTo('bad@example.com'), mailTo('last@example.com')];
    const backend = connectTo(server, { maxConnections: 1, retry: { attempts: 1, baseMs: 1, maxMs: 1 } });
    const status = await backend.sendMessages(messages);
    expect([...status.recipients.values()].map((recipient) => recipient.status)).toEqual(['sent', 'failed', 'sent']);
    expect(status.recipients.get('bad@example.com')).toMatchObject({ retryable: true });
    expect(server.commands.filter((command) => command.includes('bad@'))).toHaveLength(1 + 3);
  });

  it('after the content, as its answer, has refused the mail for now', async () => {
    offer(extensions);
    server.once('message', BYE);
    const backend = connectTo(server, { maxConnections: 1 });
    const status = await backend.sendMessages(mails(3));
    expect([...status.recipients.values()].map((recipient) => recipient.status)).toEqual(['failed', 'sent', 'sent']);
    expect(status.recipients.get('user0@example.com')).toMatchObject({ code: 421, retryable: true });
    expect(taken()).toEqual(['user1@example.com', 'user2@example.com']);
  });

  it('after it has refused the sender has refused the mail, once', async () => {
    offer(extensions);
    server.on('MAIL', '550 5.7.1 Sender blocked').on('RCPT', BYE);
    expect(await outcomes(mails(1))).toEqual({ rejected: ['user0@example.com'] });
    expect(server.connections).toHaveLength(1);
  });

  it('after some recipients too many, whatever it says of them, gets fewer at once', async () => {
    offer(extensions);
    server.on('RCPT', ({ connection: { commands } }) => {
      const since = commands.findLastIndex((command) => command.startsWith('MAIL'));
      const count = commands.length - 1 - since;
      if (count <= 3) return undefined;
      return count <= 6 ? '452 4.5.3 Too many recipients' : BYE;
    });
    const to = Array.from({ length: 10 }, (_, index) => `user${index}@example.com`);
    expect(await outcomes([mailTo(to)])).toEqual({ sent: to });
    expect(taken()).toEqual(to);
  });

  it('about too many recipients gets fewer at once', async () => {
    offer(extensions);
    const perMail = new Map<unknown, number>();
    server.on('MAIL', ({ connection }) => void perMail.set(connection, 0));
    server.on('RCPT', ({ connection }) => {
      const count = (perMail.get(connection) ?? 0) + 1;
      perMail.set(connection, count);
      return count > 2 ? { reply: '421 4.5.3 Too many recipients', end: 'fin' } : undefined;
    });
    const to = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@example.com`);
    expect(await outcomes([mailTo(to)])).toEqual({ sent: to });
    expect(server.messages.map(({ envelope }) => envelope.rcptTo.length)).toEqual([2, 2, 1]);
  });
});

describe('a mail behind a 421', () => {
  it('is in doubt when the server goes on without answering it', async () => {
    server.on('EHLO', '250 localhost\nPIPELINING\nCHUNKING');
    const backend = connectTo(server, { maxConnections: 1, timeouts: { reply: 2_000 } });
    await backend.sendMessages(mails(4));
    server.once('MAIL', { reply: Buffer.from('421 4.3.2 Going down\r\n') });
    server.once('RCPT', { reply: Buffer.alloc(0) }).once('message', { reply: Buffer.alloc(0) });
    const status = await backend.sendMessages(mails(1), { failSilently: true });
    expect(status.recipients.get('user0@example.com')?.status).toBe('unknown');
    expect(server.messages.length).toBeLessThanOrEqual(4 + 1);
  });

  it('is sent when the server takes and answers it all the same', async () => {
    server.on('EHLO', '250 localhost\nPIPELINING\nCHUNKING');
    server.once('MAIL', { reply: Buffer.from('421 4.3.2 Going down\r\n250 2.1.0 Ok\r\n') });
    const messages = mails(1);
    // One reply too many: the 421 stands for MAIL, and all that follows is one command behind.
    const status = await connectTo(server, { maxConnections: 1 }).sendMessages(messages, { failSilently: true });
    expect(['sent', 'unknown']).toContain(status.recipients.get('user0@example.com')?.status);
    expect(server.messages.length).toBe(1);
  });
});

describe.each(MODES)('a server that hangs up without a word after every second mail, with $mode', ({ extensions }) => {
  it.each(['fin', 'rst'] as const)('by %s, leaves at most the window of the first time in doubt', async (end) => {
    offer(extensions);
    server.on('message', ({ count }) => (count % 2 === 0 ? { reply: '250 2.0.0 Ok', end } : undefined));
    const { sent = [], unknown = [], ...others } = await outcomes(mails(20));
    expect(others).toEqual({});
    expect(unknown.length, `in doubt: ${unknown.join(' ')}`).toBeLessThanOrEqual(3);
    expect(sent).toHaveLength(20 - unknown.length);
    expect(new Set(taken()).size).toBe(taken().length);
    for (const address of sent) expect(taken()).toContain(address);
  });
});

it.each(MODES)(
  'a server that refuses the sender and hangs up is not asked again, with $mode',
  async ({ extensions }) => {
    offer(extensions);
    server.on('MAIL', { reply: '550 5.7.1 Sender blocked', end: 'fin' });
    expect(await outcomes(mails(1))).toEqual({ rejected: ['user0@example.com'] });
    expect(server.connections).toHaveLength(1);
  },
);

describe.each(MODES)('a server that hangs up at the same command again and again, with $mode', ({ extensions }) => {
  it('fails the mail that seems to be why, and only that', async () => {
    offer(extensions);
    server.on('RCPT', ({ argument }) => (argument.includes('bad@') ? { end: 'fin' } : undefined));
    const messages = [mailTo('bad@example.com'), mailTo('good@example.com')];
    const { sent, ...others } = await outcomes(messages);
    expect(sent).toEqual(['good@example.com']);
    expect(Object.values(others)).toEqual([['bad@example.com']]);
  });
});

it.each(['421 4.3.2 Going down', { end: 'fin' }] as const)(
  'a server that does %j to every mail has them all fail',
  async (bye) => {
    offer(['PIPELINING']);
    server.on('MAIL', bye);
    const { failed = [], ...others } = await outcomes(mails(30));
    expect(others).toEqual({});
    expect(failed).toHaveLength(30);
    expect(server.connections.length).toBeLessThanOrEqual(6);
  },
);

it.each(MODES)(
  'a recipient one too many is no reason for doubt when the mail is given up, with $mode',
  async ({ extensions }) => {
    offer(extensions);
    const abort = new AbortController();
    server.once('RCPT', undefined).once('RCPT', '452 4.5.3 Too many recipients');
    server.once('message', { delayMs: 600_000, reply: '250 2.0.0 Ok' });
    const backend = connectTo(server, { maxConnections: 1 });
    const to = ['a@example.com', 'b@example.com'];
    const sending = backend.sendMessages([mailTo(to)], { signal: abort.signal, failSilently: true });
    await expect.poll(() => server.connections[0]?.transcript.some((line) => line.includes('452')) ?? false).toBe(true);
    await expect.poll(() => backend.stats().connections.inFlight).toBe(1);
    setImmediate(() => abort.abort());
    const { recipients } = await sending;
    expect(recipients.get('b@example.com')).toMatchObject({ status: 'failed', retryable: true });
  },
);

describe('LIMITS MAILMAX', () => {
  it('is how many mails a connection gets', async () => {
    offer(['PIPELINING', 'LIMITS MAILMAX=3 RCPTMAX=50']);
    expect(await outcomes(mails(8))).toEqual({ sent: mails(8).map(({ to }) => to) });
    const perConnection = server.connections.map(
      ({ commands }) => commands.filter((command) => command.startsWith('MAIL')).length,
    );
    expect(perConnection).toEqual([3, 3, 2]);
  });
});
