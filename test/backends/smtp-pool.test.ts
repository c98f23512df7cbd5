import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EmailConnectionError, EmailError, SendError } from '../../src/model/errors.ts';
import type { SmtpTarget } from '../../src/smtp/options.ts';
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

describe('connections', () => {
  it('are kept: a hundred calls use one', async () => {
    const backend = connectTo(server);
    for (const mail of mails(100)) await backend.sendMessages([mail]);
    expect(server.connections).toHaveLength(1);
    expect(server.messages).toHaveLength(100);
  });

  it('are never more than maxConnections, those being opened included', async () => {
    const backend = connectTo(server, { maxConnections: 3 });
    await Promise.all(mails(200).map((mail) => backend.sendMessages([mail])));
    expect(server.connections.length).toBeLessThanOrEqual(3);
    expect(server.messages).toHaveLength(200);
  });

  it('are no more than maxConnections with those that open() opens', async () => {
    const backend = connectTo(server, { maxConnections: 1 });
    await Promise.all([backend.open(), backend.sendMessages(mails(1)), backend.open()]);
    expect(server.connections).toHaveLength(1);
    await Promise.all([backend.close(), backend.close()]);
  });

  it('that are opened already are waited for by open(), until it is aborted', async () => {
    server.once('connect', { delayMs: 100, reply: '220 localhost' });
    const backend = connectTo(server);
    const sending = backend.sendMessages(mails(1));
    await expect.poll(() => backend.stats().connections.connecting).toBe(1);
    const error = await failure(backend.open({ signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ name: 'EmailConnectionError', code: 'aborted' });
    expect((await sending).isSuccess).toBe(true);
  });

  it('are counted by stats()', async () => {
    const backend = connectTo(server);
    expect(backend.stats().connections).toEqual({ connecting: 0, idle: 0, busy: 0, queued: 0, inFlight: 0, opened: 0 });
    await backend.sendMessages(mails(1));
    expect(backend.stats()).toMatchObject({ pending: 0, recipients: { sent: 1 }, connections: { idle: 1, opened: 1 } });
  });

  it('are opened by open() and closed with QUIT by the last close()', async () => {
    const backend = connectTo(server);
    await backend.open();
    await backend.open();
    expect(server.connections).toHaveLength(1);
    await backend.close();
    expect(server.commands).not.toContain('QUIT');
    await backend.close();
    expect(server.commands.at(-1)).toBe('QUIT');
    await backend.sendMessages(mails(1));
    expect(server.connections).toHaveLength(2);
  });

  it('that have served their messages are gone, too, when close() returns', async () => {
    const sockets: Socket[] = [];
    const dial = async ({ host, port }: SmtpTarget): Promise<Socket> => {
      const socket = connect({ host, port });
      sockets.push(socket);
      await once(socket, 'connect');
      return socket;
    };
    const backend = connectTo(server, { maxMessages: 1, socket: dial });
    await backend.sendMessages(mails(3));
    await backend.close();
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, true]);
  });

  it('are closed after idleMs, and do not keep the process waiting', async () => {
    const backend = connectTo(server, { idleMs: 20 });
    await backend.sendMessages(mails(1));
    await expect.poll(() => server.openConnections).toBe(0);
    expect(server.commands.at(-1)).toBe('QUIT');
    await backend.sendMessages(mails(1));
    expect(server.connections).toHaveLength(2);
  });

  it('are not kept at all with idleMs 0', async () => {
    const backend = connectTo(server, { idleMs: 0 });
    for (const mail of mails(3)) await backend.sendMessages([mail]);
    expect(server.connections).toHaveLength(3);
  });

  it('are replaced after maxMessages, and when they are older than maxAgeMs', async () => {
    const backend = connectTo(server, { maxMessages: 4, maxConnections: 1 });
    await backend.sendMessages(mails(10));
    expect(server.connections.map(({ commands }) => commands.filter((line) => line.startsWith('MAIL')).length)).toEqual(
      [4, 4, 2],
    );
    const aging = connectTo(server, { maxAgeMs: 20 });
    await aging.sendMessages(mails(1));
    await sleep(30);
    const before = server.connections.length;
    await aging.sendMessages(mails(1));
    expect(server.connections.length).toBeGreaterThan(before);
  });

  it('are tried one at a time until one works, so that a wrong password is met once', async () => {
    const backend = connectTo(server, { username: 'jane', password: 'wrong', allowInsecureAuth: true });
    const status = await backend.sendMessages(mails(20), { failSilently: true });
    expect(
      [...status.recipients.values()].every((recipient) => recipient.status === 'failed' && !recipient.retryable),
    ).toBe(true);
    expect(status.error).toMatchObject({ name: 'EmailConnectionError', code: 'auth' });
    expect(server.connections).toHaveLength(1);
  });

  it('are opened for those who would wait for the content of a large mail', async () => {
    let go = (): void => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    let readings = 0;
    // It is read once for its size, then to be sent.
    const content = async function* () {
      if (++readings > 1) await held;
      yield Buffer.alloc(100_000);
    };
    const backend = connectTo(server);
    const large = backend.sendMessages([mailTo('large@example.com', { attachments: [{ filename: 'a', content }] })]);
    await expect.poll(() => readings).toBe(2);
    expect((await backend.sendMessages([mailTo('small@example.com')])).isSuccess).toBe(true);
    go();
    expect((await large).isSuccess).toBe(true);
    expect(server.connections).toHaveLength(2);
  });

  it('that the server refuses further ones of do not stop those that work', async () => {
    server.on('connect', ({ connection }) =>
      server.connections.indexOf(connection) > 0 ? '421 4.7.0 Too many' : undefined,
    );
    const status = await connectTo(server).sendMessages(mails(300));
    expect(status.isSuccess).toBe(true);
    expect(server.connections.length).toBeLessThan(10);
  });
});

describe('a kept connection that died', () => {
  it('while idle is noticed, and the message goes over a new one', async () => {
    const backend = connectTo(server);
    await backend.sendMessages(mails(1));
    server.connections[0] && server.reset();
    await expect.poll(() => backend.stats().connections.idle).toBe(0);
    expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
  });

  it('at MAIL is replaced, and the message is sent once', async () => {
    server.on('EHLO', '250 localhost\nPIPELINING');
    const backend = connectTo(server);
    await backend.sendMessages(mails(1));
    server.once('MAIL', { reply: '421 4.4.2 Idle for too long', end: 'fin' });
    expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
    expect(server.connections).toHaveLength(2);
    expect(server.messages).toHaveLength(2);
  });

  it('again and again is told, with its last words', async () => {
    server.on('EHLO', '250 localhost\nPIPELINING').on('MAIL', { reply: '421 4.3.2 Going down', end: 'fin' });
    const retry = { attempts: 1, baseMs: 1, maxMs: 1 };
    const error = await failure(connectTo(server, { retry }).sendMessages(mails(1)));
    expect(error).toMatchObject({ retryable: true, outcome: 'not-sent', reply: { code: 421, text: 'Going down' } });
    expect(server.connections).toHaveLength(1 + 3);
  });

  it('after the end of the content leaves the message unknown, and it is never sent again', async () => {
    server.once('message', { end: 'rst' });
    const error = await failure(connectTo(server, { retry: { attempts: 5, baseMs: 1 } }).sendMessages(mails(1)));
    expect(error).toMatchObject({ name: 'SendError', code: 'uncertain', outcome: 'unknown', retryable: false });
    expect(error.status?.isUncertain).toBe(true);
    expect(server.messages.length).toBeLessThanOrEqual(1);
    expect(verbs(server).filter((verb) => verb === 'MAIL')).toHaveLength(1);
  });

  it('is asked with RSET before it gets a message after a rest', async () => {
    const backend = connectTo(server);
    await backend.sendMessages(mails(1));
    await sleep(1_050);
    await backend.sendMessages(mails(1));
    expect(verbs(server)).toEqual(['MAIL', 'RCPT', 'BDAT', 'RSET', 'RSET', 'MAIL', 'RCPT', 'BDAT']);
    await sleep(1_050);
    server.once('RSET', { reply: '421 4.4.2 Gone', end: 'fin' });
    expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
    expect(server.connections).toHaveLength(2);
  });

  it('and refuses RSET is left for a new one', async () => {
    server.on('EHLO', '250 localhost\nPIPELINING').on('RSET', '502 5.5.1 Not here');
    const status = await connectTo(server, { maxConnections: 1 }).sendMessages(mails(4));
    expect(status.isSuccess).toBe(true);
    expect(server.messages).toHaveLength(4);
  });
});

describe('verify()', () => {
  it('tells what it met, and sends nothing', async () => {
    const backend = connectTo(server, { username: 'jane', password: 'secret', allowInsecureAuth: true });
    expect(await backend.verify()).toEqual({
      backend: 'smtp',
      details: {
        server: 'localhost',
        proxy: null,
        tls: null,
        certificateSubject: null,
        certificateIssuer: null,
        certificateNames: null,
        certificateExpires: null,
        authMethod: 'SCRAM-SHA-256',
        pipelining: true,
        chunking: true,
        eightBitMime: true,
        smtpUtf8: true,
        dsn: true,
        maxSize: 52_428_800,
      },
    });
    expect(verbs(server).filter((verb) => verb === 'MAIL')).toEqual([]);
    await expect.poll(() => server.openConnections).toBe(0);
  });

  it('fails as sending would', async () => {
    const backend = connectTo(server, { username: 'jane', password: 'wrong', allowInsecureAuth: true });
    const error = await failure(backend.verify());
    expect(error).toBeInstanceOf(EmailConnectionError);
    expect(error).not.toBeInstanceOf(SendError);
    expect(error.code).toBe('auth');
  });
});
