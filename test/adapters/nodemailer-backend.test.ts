import { Blob } from 'node:buffer';
import { generateKeyPairSync } from 'node:crypto';
import { simpleParser } from 'mailparser';
import { createTransport } from 'nodemailer';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { amsdalTransport, NodemailerBackend, type NodemailerOptions } from '../../src/adapters/nodemailer.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { getConnection } from '../../src/connection/connection.ts';
import { sendMail } from '../../src/connection/send.ts';
import { composeMessage } from '../../src/mime/compose/compose.ts';
import {
  ConfigurationError,
  EmailConnectionError,
  EmailError,
  MessageError,
  SendError,
} from '../../src/model/errors.ts';
import { EmailMessage } from '../../src/model/message.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { certificates } from '../smtp-server/receiver.ts';

const MAIL = {
  fromEmail: 'Fred <fred@example.com>',
  to: 'bar@example.org',
  subject: 'Grüße',
  body: 'Hello\r\n.\r\nworld\r\n',
};

let server: ScriptedSmtpServer;
beforeAll(async () => {
  server = await ScriptedSmtpServer.start({ extensions: ['ENHANCEDSTATUSCODES'], users: { jane: 'secret' } });
});
afterAll(() => server.close());
afterEach(() => server.reset());

const over = (settings: object = {}) =>
  createTransport({ host: '127.0.0.1', port: server.port, ignoreTLS: true, ...settings });
const connect = (settings: object = {}, options: NodemailerOptions = {}) =>
  getConnection(NodemailerBackend, { transport: over(settings), ...options });
const failureOf = (sending: Promise<unknown>): Promise<EmailError> =>
  sending.then(
    () => expect.fail('it was sent'),
    (error: EmailError) => error,
  );

describe('the mail is ours', () => {
  test('the bytes that arrive are those of the composer, and so is the Message-ID', async () => {
    const message = new EmailMessage({
      ...MAIL,
      cc: 'Zoë <zoe@bücher.example>',
      bcc: 'hidden@example.org',
      htmlBody: '<b>Grüße</b>',
      messageId: 'one@example.com',
      date: new Date('2026-11-22T10:00:00Z'),
    });
    const status = await connect().sendMessages([message]);
    const boundary = /boundary="=_1_([^"]+)"/.exec(Buffer.from(server.messages[0]?.bytes ?? []).toString())?.[1] ?? '';
    expect(Buffer.from(server.messages[0]?.bytes ?? []).toString()).toBe(
      Buffer.from(composeMessage(message, { boundary })).toString(),
    );
    expect(server.messages[0]?.envelope).toMatchObject({
      mailFrom: 'fred@example.com',
      rcptTo: ['bar@example.org', 'zoe@xn--bcher-kva.example', 'hidden@example.org'],
    });
    expect(status.messageId).toBe('one@example.com');
    expect(status.recipients.get('zoe@bücher.example')).toMatchObject({
      status: 'sent',
      code: 250,
      messageId: 'one@example.com',
    });
  });

  test('envelope sender, null sender, priority, tags, a Blob, and a signature', async () => {
    const { privateKey } = generateKeyPairSync('ed25519', {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const connection = connect({}, { tagHeaders: true, dkim: { domain: 'example.com', selector: 's', privateKey } });
    const attachments = [{ filename: 'a.txt', content: new Blob(['blob']) }];
    await connection.sendMessages([
      { ...MAIL, envelopeSender: 'bounces@example.com', priority: 'high', tags: ['welcome'], attachments },
    ]);
    await connection.sendMessages([{ ...MAIL, envelopeSender: '' }]);
    expect(server.messages.map(({ envelope }) => envelope.mailFrom)).toEqual(['bounces@example.com', '']);
    const parsed = await simpleParser(Buffer.from(server.messages[0]?.bytes ?? []));
    expect(parsed.attachments[0]?.content.toString()).toBe('blob');
    expect(parsed.headers.get('x-tag')).toBe('welcome');
    expect(parsed.headers.has('dkim-signature')).toBe(true);
  });

  test('a thousand mails over a pool', async () => {
    const transport = over({ pool: true, maxConnections: 3 });
    const connection = getConnection(NodemailerBackend, { transport, maxConnections: 20 });
    const messages = Array.from({ length: 1000 }, (_, index) => ({ ...MAIL, to: `n${index}@example.org` }));
    const status = await connection.sendMessages(messages);
    expect(status.isSuccess).toBe(true);
    expect(new Set(server.messages.flatMap(({ envelope }) => envelope.rcptTo)).size).toBe(1000);
    await connection.close();
    await connection.sendMessages([MAIL]); // the transport stays open, it is the caller's
    transport.close();
  });
});

describe('statuses say what is known', () => {
  test('some recipients refused', async () => {
    server.on('RCPT', ({ argument }) => {
      if (argument.includes('nobody@')) return '550 5.1.1 No such user';
      if (argument.includes('blocked@')) return '550 5.7.1 Blocked';
      return argument.includes('full@') ? '452 4.2.2 Full' : undefined;
    });
    const to = ['bar@example.org', 'nobody@example.org', 'blocked@example.org', 'full@example.org'];
    const status = await connect().sendMessages([{ ...MAIL, to }]);
    const seen = [...status.recipients.values()].map(({ address, ...facts }) => [
      address,
      facts.status,
      facts.code,
      facts.enhancedCode,
      facts.retryable,
    ]);
    expect(seen).toEqual([
      ['bar@example.org', 'sent', 250, '2.0.0', false],
      ['nobody@example.org', 'invalid', 550, '5.1.1', false],
      ['blocked@example.org', 'rejected', 550, '5.7.1', false],
      ['full@example.org', 'failed', 452, '4.2.2', true],
    ]);
  });

  test('all recipients refused, each with its own reply', async () => {
    server.on('RCPT', ({ argument }) => (argument.includes('bar@') ? '550 5.1.1 No such user' : '452 4.2.2 Full'));
    const error = await failureOf(connect().sendMessages([{ ...MAIL, to: ['bar@example.org', 'full@example.org'] }]));
    expect(error).toBeInstanceOf(SendError);
    expect([...(error.status?.recipients.values() ?? [])].map(({ status }) => status)).toEqual(['invalid', 'failed']);
  });

  test.each<[string, string, object]>([
    ['MAIL', '550 5.7.1 Not you', { status: 'rejected', code: 550, enhancedCode: '5.7.1', retryable: false }],
    ['MAIL', '451 4.3.0 Later', { status: 'failed', code: 451, retryable: true }],
    ['DATA', '554 5.5.1 No', { status: 'rejected', code: 554 }],
    ['message', '554 5.7.1 Spam', { status: 'rejected', code: 554, response: 'Spam' }],
    ['message', '451-4.3.0 Busy\n451 4.3.0 later', { status: 'failed', retryable: true, response: 'Busy\nlater' }],
  ])('%s refused: %s', async (step, reply, expected) => {
    server.on(
      step as 'MAIL',
      reply.includes('\n') ? { reply: Buffer.from(`${reply.replace('\n', '\r\n')}\r\n`) as never } : reply,
    );
    const error = await failureOf(connect().sendMessages([MAIL]));
    expect(error).toBeInstanceOf(SendError);
    expect(error.status?.recipients.get('bar@example.org')).toMatchObject(expected);
    expect(error.outcome).toBe('not-sent');
  });

  test.each<[string, object]>([
    ['hung up', { end: 'fin' }],
    ['reset', { end: 'rst' }],
    ['silent', {}],
  ])('after the content the server is %s: unknown', async (_, fault) => {
    server.on('message', { ...fault, ...(Object.keys(fault).length === 0 && { delayMs: 600_000 }) });
    const error = await failureOf(connect({ socketTimeout: 500 }).sendMessages([MAIL]));
    expect(error).toMatchObject({ code: 'uncertain', outcome: 'unknown', retryable: false });
    expect(error.status?.recipients.get('bar@example.org')).toMatchObject({ status: 'unknown', retryable: false });
    expect(error.status?.messageId).not.toBeNull();
  });

  test('a refused login', async () => {
    server.on('AUTH', '535 5.7.8 Bad credentials');
    const auth = { user: 'jane', pass: 'wrong' };
    const error = await failureOf(connect({ auth }).sendMessages([MAIL]));
    expect(error).toBeInstanceOf(EmailConnectionError);
    expect(error).toMatchObject({
      code: 'auth',
      phase: 'auth',
      retryable: false,
      reply: { code: 535, enhancedCode: '5.7.8' },
    });
    expect(error.status?.recipients.get('bar@example.org')).toMatchObject({ status: 'failed' });
    server.on('AUTH', '454 4.7.0 Later');
    expect(await failureOf(connect({ auth }).sendMessages([MAIL]))).toMatchObject({ code: 'auth', retryable: true });
  });

  test('a server that is not there, whose greeting does not come, and whose certificate is not known', async () => {
    const closed = await ScriptedSmtpServer.start();
    const { port } = closed;
    await closed.close();
    const refused = await failureOf(connect({ port }).sendMessages([MAIL]));
    expect(refused).toBeInstanceOf(EmailConnectionError);
    expect(refused).toMatchObject({ code: 'refused', outcome: 'not-sent', retryable: true });
    expect(await failureOf(connect({ host: 'nowhere.invalid' }).sendMessages([MAIL]))).toMatchObject({
      code: 'dns',
      outcome: 'not-sent',
    });
    server.on('connect', { delayMs: 600_000 });
    const silent = await failureOf(connect({ greetingTimeout: 300 }).sendMessages([MAIL]));
    expect(silent).toMatchObject({ code: 'timeout', outcome: 'not-sent' });
    await using secured = await ScriptedSmtpServer.start({ tls: certificates().good });
    const distrusted = await failureOf(
      connect({ port: secured.port, ignoreTLS: false, requireTLS: true }).sendMessages([MAIL]),
    );
    expect(distrusted).toMatchObject({ code: 'certificate', phase: 'tls', outcome: 'not-sent', retryable: false });
  });

  test('a call that was aborted', async () => {
    server.on('message', { delayMs: 600_000 });
    const controller = new AbortController();
    const sending = failureOf(connect().sendMessages([MAIL], { signal: controller.signal }));
    await expect.poll(() => server.commands.length).toBeGreaterThan(2);
    controller.abort();
    expect((await sending).status?.recipients.get('bar@example.org')?.status).toBe('unknown');
  });
});

describe('transports of other kinds', () => {
  test('stream and JSON: the mail was taken', async () => {
    const stream = getConnection(NodemailerBackend, {
      transport: createTransport({ streamTransport: true, buffer: true }),
    });
    const status = await stream.sendMessages([MAIL]);
    expect(status.isSuccess).toBe(true);
    const { message } = status.espResponse as { readonly message: Buffer };
    expect((await simpleParser(message)).subject).toBe('Grüße');
    const json = getConnection(NodemailerBackend, { transport: createTransport({ jsonTransport: true }) });
    expect((await json.sendMessages([MAIL])).isSuccess).toBe(true);
    expect((await json.verify()).details).toEqual({ verified: false });
  });

  test('a transport that forgets a recipient, or tells nothing of one it rejects', async () => {
    const transport = {
      sendMail: async () => ({ accepted: ['Bar@Example.org'], rejected: [{ address: 'no@example.org' }] }),
    };
    const to = ['bar@example.org', 'no@example.org', 'lost@example.org'];
    const status = await getConnection(NodemailerBackend, { transport }).sendMessages([{ ...MAIL, to }]);
    expect([...status.recipients.values()].map((recipient) => recipient.status)).toEqual([
      'sent',
      'rejected',
      'unknown',
    ]);
  });

  test.each<[string, unknown, object]>([
    ['an error without a code', new Error('odd'), { code: 'uncertain', outcome: 'unknown' }],
    ['no error at all', 'odd', { code: 'uncertain', outcome: 'unknown' }],
    ['a configuration', Object.assign(new Error('odd'), { code: 'ECONFIG' }), { code: 'invalid-option' }],
    ['a limit', Object.assign(new Error('odd'), { code: 'EMAXRECIPIENTS' }), { code: 'provider', outcome: 'not-sent' }],
    ['a proxy', Object.assign(new Error('odd'), { code: 'EPROXY' }), { code: 'connection', outcome: 'not-sent' }],
    ['TLS', Object.assign(new Error('odd'), { code: 'ETLS' }), { code: 'tls', outcome: 'not-sent' }],
    [
      'a message that is too large',
      Object.assign(new Error('odd'), { code: 'EMESSAGE', command: 'MAIL FROM' }),
      { code: 'provider', phase: 'mail' },
    ],
    [
      'EHLO',
      Object.assign(new Error('odd'), { code: 'ECONNECTION', command: 'EHLO' }),
      { code: 'closed', outcome: 'not-sent' },
    ],
  ])('%s', async (_, thrown, expected) => {
    const transport = { sendMail: () => Promise.reject(thrown) };
    const error = await failureOf(getConnection(NodemailerBackend, { transport }).sendMessages([MAIL]));
    expect(error).toBeInstanceOf(EmailError);
    expect(error).toMatchObject(expected);
  });

  test('there and back again: a transport of ours below', async () => {
    const outbox = new DummyBackend({ store: true });
    const transport = createTransport(amsdalTransport(outbox));
    const error = await failureOf(getConnection(NodemailerBackend, { transport }).sendMessages([MAIL]));
    expect(error.cause).toBeInstanceOf(MessageError); // raw mails are not carried
  });
});

test('what it cannot do truthfully is refused: DSN, REQUIRETLS, SMTPUTF8', async () => {
  for (const field of [{ dsn: { ret: 'full' } }, { requireTls: true }, { to: 'jörg@example.org' }] as const) {
    await expect(connect().sendMessages([{ ...MAIL, ...field }])).rejects.toMatchObject({
      code: 'unsupported-feature',
    });
  }
  const status = await connect().sendMessages([{ ...MAIL, tags: ['a'] }]);
  expect(status.results[0]?.ignored).toEqual(['tags']);
});

test('verify asks the transport', async () => {
  expect(await connect().verify()).toEqual({ backend: 'nodemailer', details: { verified: true } });
  server.on('AUTH', '535 5.7.8 Bad credentials');
  await expect(connect({ auth: { user: 'jane', pass: 'wrong' } }).verify()).rejects.toMatchObject({ code: 'auth' });
  server.on('connect', { end: 'fin' });
  await expect(connect().verify()).rejects.toMatchObject({ code: 'connection', outcome: 'not-sent' });
});

test('options', async () => {
  expect(() => getConnection(NodemailerBackend)).toThrow(ConfigurationError);
  const wrong = { transport: { host: 'smtp.example.com' } as never };
  expect(() => getConnection(NodemailerBackend, wrong)).toThrow('nodemailer.createTransport');
  const from = await sendMail({
    subject: 'Hi',
    message: 'Hello',
    recipientList: ['bar@example.org'],
    connection: connect({}, { defaultFrom: 'shop@example.com' }),
  });
  expect(from.isSuccess).toBe(true);
  expect(() => connect().sendMessagesSync([MAIL])).toThrow(/blocking/);
  const broken = {
    filename: 'a.txt',
    content: () => {
      throw new Error('no disk');
    },
  };
  await expect(connect().sendMessages([{ ...MAIL, attachments: [broken] }])).rejects.toMatchObject({
    code: 'source',
    outcome: 'not-sent',
  });
  await expect(connect().sendMessages([MAIL], { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'aborted',
  });
});
