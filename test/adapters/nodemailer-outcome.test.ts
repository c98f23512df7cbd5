import { type ParsedMail, simpleParser } from 'mailparser';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { amsdalTransport, type NodemailerInfo } from '../../src/adapters/nodemailer.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { setDefaultConnection } from '../../src/connection/connection.ts';
import { EmailError, SendError } from '../../src/model/errors.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';

const BASE = { from: 'Fred Foo <fred@example.com>', to: 'bar@example.org', subject: 'Hello', text: 'Hello world?' };

let server: ScriptedSmtpServer;
let connection: SmtpBackend;

beforeAll(async () => {
  server = await ScriptedSmtpServer.start({ extensions: ['DSN', 'ENHANCEDSTATUSCODES', 'PIPELINING'] });
  connection = new SmtpBackend({ host: '127.0.0.1', port: server.port });
});
afterAll(async () => {
  await connection.close();
  await server.close();
});
afterEach(() => server.reset());

const send = (mail: SendMailOptions, defaults?: SendMailOptions): Promise<NodemailerInfo> =>
  createTransport(amsdalTransport(connection), defaults).sendMail(mail);

/** The mail as it arrived, last. */
async function arrived(): Promise<ParsedMail> {
  return simpleParser(Buffer.from(server.messages.at(-1)?.bytes ?? []));
}

describe('what the caller gets', () => {
  test('info: who was accepted, rejected and unknown, and the status', async () => {
    server.on('RCPT', ({ argument }) => (argument.includes('nobody@') ? '550 5.1.1 No such user' : undefined));
    const info = await send({ ...BASE, to: 'bar@example.org, nobody@example.org', bcc: 'hidden@example.org' });
    expect(info).toMatchObject({
      envelope: { from: 'fred@example.com', to: ['bar@example.org', 'nobody@example.org', 'hidden@example.org'] },
      messageId: expect.stringMatching(/^<[^<>]+@example\.com>$/),
      accepted: ['bar@example.org', 'hidden@example.org'],
      rejected: ['nobody@example.org'],
      pending: [],
    });
    expect(info.status.recipients.get('nobody@example.org')).toMatchObject({
      status: 'invalid',
      enhancedCode: '5.1.1',
    });
    expect((await arrived()).messageId).toBe(info.messageId);
  });

  test('errors are ours, with the status: by promise and by callback', async () => {
    server.on('RCPT', '550 5.1.1 No such user');
    const error: unknown = await send(BASE).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SendError);
    const transporter = createTransport(amsdalTransport(connection));
    const [failure, info] = await new Promise<unknown[]>((resolve) =>
      transporter.sendMail(BASE, (...args) => resolve(args)),
    );
    expect(failure).toMatchObject({ code: 'invalid-recipient', status: { hasFailures: true } });
    expect(info).toBeUndefined();
  });

  test('the id of a provider that replaces the Message-ID', async () => {
    class Provider extends DummyBackend {
      protected override deliver(...args: Parameters<DummyBackend['deliver']>) {
        const results = super.deliver(...args);
        return (async function* () {
          for await (const result of results) yield { ...result, messageId: new Set(['0100-a', '0100-b']) };
        })();
      }
    }
    const info = await createTransport(amsdalTransport(new Provider())).sendMail(BASE);
    expect(info.messageId).toBe('0100-a, 0100-b');
  });

  test('the connection of the process, and an unknown name at once', async () => {
    const outbox = new DummyBackend({ store: true });
    const restore = setDefaultConnection(outbox);
    await createTransport(amsdalTransport())
      .sendMail({ ...BASE, from: undefined })
      .catch(() => {});
    await createTransport(amsdalTransport()).sendMail(BASE);
    restore();
    expect(outbox.messages.map(({ subject }) => subject)).toEqual(['Hello']);
    expect(() => amsdalTransport('@nowhere')).toThrow(EmailError);
  });

  test('a signal ends the mail', async () => {
    server.on('message', { delayMs: 60_000 });
    const controller = new AbortController();
    const sending = send({ ...BASE, signal: controller.signal });
    await expect.poll(() => server.commands.length).toBeGreaterThan(2);
    controller.abort();
    await expect(sending).rejects.toMatchObject({ status: { recipients: expect.anything() } });
  });

  test('verify, by promise and callback, and close', async () => {
    const transporter = createTransport(amsdalTransport(connection));
    expect(await transporter.verify()).toBe(true);
    expect(await new Promise((resolve) => transporter.verify((...args) => resolve(args)))).toEqual([null, true]);
    server.on('connect', '554 5.7.1 Not you');
    await expect(transporter.verify()).rejects.toMatchObject({ code: 'greeting' });
    const failed = await new Promise<unknown[]>((resolve) => transporter.verify((...args) => resolve(args)));
    expect(failed[0]).toMatchObject({ code: 'greeting' });
    server.reset();
    await transporter.sendMail(BASE);
    transporter.close();
    await expect.poll(() => server.openConnections).toBe(0);
    await transporter.sendMail(BASE);
    expect(server.messages).toHaveLength(2);
  });

  test('isIdle and the event idle feed a queue', async () => {
    const queue = Array.from({ length: 250 }, (_, index) => ({ ...BASE, subject: `Mail ${index}` }));
    const outbox = new DummyBackend({ store: true });
    const transporter = createTransport(amsdalTransport(outbox));
    const sending: Promise<unknown>[] = [];
    let most = 0;
    transporter.on('idle', () => {
      let burst = 0;
      for (let mail = queue.shift(); mail; mail = transporter.isIdle() ? queue.shift() : undefined) {
        burst++;
        sending.push(transporter.sendMail(mail));
      }
      most = Math.max(most, burst);
    });
    await expect.poll(() => outbox.messages.length).toBe(250);
    await Promise.all(sending);
    expect(transporter.isIdle()).toBe(true);
    expect(most).toBe(100);
  });
});
