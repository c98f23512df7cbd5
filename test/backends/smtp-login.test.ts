import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SmtpBackend, SmtpBackendOptions } from '../../src/backends/smtp.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { connectTo, mails, mailTo } from './smtp-fixture.ts';

let server: ScriptedSmtpServer;

beforeAll(async () => {
  server = await ScriptedSmtpServer.start({ users: { jane: 'secret' }, tls: 'generate' });
  return () => server.close();
});

afterEach(() => server.reset());

function connect(options: SmtpBackendOptions = {}): SmtpBackend {
  const tls = { ca: server.certificate ?? '', servername: 'localhost' };
  return connectTo(server, { useTls: true, tls, username: 'jane', password: 'secret', ...options });
}

/** The mechanisms that were begun, in order. */
function begun(): readonly string[] {
  return server.commands.flatMap((command) => /^AUTH (\S+)/.exec(command)?.[1] ?? []);
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  return error instanceof Error ? error.message : `no error: ${String(error)}`;
}

describe('a wrong password', () => {
  it('is two logins, however many mails and calls wait', async () => {
    const backend = connect({ password: 'wrong' });
    const calls = await Promise.all(mails(30).map((mail) => messageOf(backend.sendMessages([mail]))));
    const later = await messageOf(backend.sendMessages(mails(1)));
    expect(begun()).toEqual(['SCRAM-SHA-256', 'PLAIN']);
    expect(server.connections).toHaveLength(1);
    expect(new Set([...calls, later]).size).toBe(1);
    expect(later).toMatch(/SCRAM-SHA-256: 535 .*PLAIN: 535 /);
  });

  it('is tried once more by verify(), and then not either', async () => {
    const backend = connect({ password: 'wrong' });
    await messageOf(backend.sendMessages(mails(1)));
    const told = await messageOf(backend.verify());
    expect(begun()).toHaveLength(4);
    expect(await messageOf(backend.verify())).toBe(told);
    expect(await messageOf(backend.open())).toBe(told);
    expect(begun()).toHaveLength(4);
  });
});

it('a mechanism that worked is the one that further connections use', async () => {
  server.on('AUTH', ({ argument }) => (argument.startsWith('SCRAM') ? '535 5.7.8 No mechanism available' : undefined));
  server.on('message', { reply: '250 2.0.0 Taken', delayMs: 20 });
  const backend = connect({ maxInFlight: 1 });
  expect((await backend.sendMessages(mails(20))).isSuccess).toBe(true);
  expect(begun().length).toBeGreaterThan(2);
  expect(begun().slice(0, 2)).toEqual(['SCRAM-SHA-256', 'PLAIN']);
  expect(new Set(begun().slice(1))).toEqual(new Set(['PLAIN']));
});

describe('a server that wants a login before it takes mail', () => {
  it.each([
    ['MAIL', '530 5.7.0 Authentication required', ['PIPELINING', 'CHUNKING']],
    ['MAIL', '530 5.7.57 Client not authenticated to send mail', []],
    ['MAIL', '534 5.7.9 Mechanism too weak', ['PIPELINING']],
    ['RCPT', '530 5.7.1 Authentication required', ['PIPELINING']],
    ['DATA', '530 5.7.0 Authentication required', ['PIPELINING']],
    ['message', '530 5.7.0 Authentication required', ['PIPELINING', 'CHUNKING']],
  ] as const)('at %s (%s) refuses the connection, not the recipients', async (step, reply, extensions) => {
    await using open = await ScriptedSmtpServer.start({ extensions });
    open.on(step, reply);
    const to = ['a@example.com', 'b@example.com'];
    const status = await connectTo(open).sendMessages([mailTo(to)], { failSilently: true });
    expect(status.error).toMatchObject({ name: 'EmailConnectionError', code: 'auth', retryable: false });
    expect(status.error?.message).toMatch(/wants a login before .*: 53[04] .*; set username and password/);
    for (const address of to) {
      expect(status.recipients.get(address)).toMatchObject({ status: 'failed', code: Number(reply.slice(0, 3)) });
    }
  });
});
