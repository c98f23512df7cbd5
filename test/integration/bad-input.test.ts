import { describe, expect, test } from 'vitest';
import type { SmtpBackendOptions } from '../../src/backends/smtp.ts';
import { EmailMessage, type EmailMessageInit, getConnection, sendMail } from '../../src/index.ts';
import { composeMessage } from '../../src/mime/index.ts';
import { ScriptedSmtpServer } from '../../src/testing/index.ts';
import { freePorts } from '../servers/process.ts';

const MESSAGE: EmailMessageInit = {
  subject: 'Hello',
  body: 'A line.',
  fromEmail: 'a@example.com',
  to: 'b@example.com',
};

/** The error of sending a message, after checking that the server heard nothing of it. */
async function refusal(fields: object): Promise<unknown> {
  await using server = await ScriptedSmtpServer.start();
  await using connection = getConnection('smtp', { host: server.host, port: server.port });
  const error: unknown = await connection.sendMessages([{ ...MESSAGE, ...fields }]).then(
    () => 'it was sent',
    (caught: unknown) => caught,
  );
  expect(server.connections).toEqual([]);
  return error;
}

describe('a message that must not be sent is refused with the path of its fault, before anything is connected', () => {
  const lineBreaks = ['\r\nBcc: evil@example.com', '\nX: y', '\r', '\0'];
  const places: readonly (readonly [path: string, fields: (text: string) => object])[] = [
    ['subject', (text) => ({ subject: `Hello${text}` })],
    ['fromEmail', (text) => ({ fromEmail: `a@example.com${text}` })],
    ['fromEmail', (text) => ({ fromEmail: { name: `Jane${text}`, address: 'a@example.com' } })],
    ['to[0]', (text) => ({ to: [`b@example.com${text}`] })],
    ['to[0]', (text) => ({ to: [`"b${text}"@example.com`] })],
    ['cc[0]', (text) => ({ cc: [{ name: `x${text}`, address: 'c@example.com' }] })],
    ['bcc[0]', (text) => ({ bcc: [`c@example.com>${text}`] })],
    ['replyTo[0]', (text) => ({ replyTo: [`c${text}@example.com`] })],
    ['headers', (text) => ({ headers: { 'X-Custom': `value${text}` } })],
    ['headers', (text) => ({ headers: { [`X-Custom${text}`]: 'value' } })],
    ['messageId', (text) => ({ messageId: `id@example.com${text}` })],
    ['envelopeSender', (text) => ({ envelopeSender: `a@example.com${text}` })],
    ['attachments[0]', (text) => ({ attachments: [{ filename: `a${text}.txt`, content: 'x' }] })],
    [
      'attachments[0]',
      (text) => ({ attachments: [{ filename: 'a.txt', content: 'x', mimetype: `text/plain${text}` }] }),
    ],
    ['attachments[0]', (text) => ({ attachments: [{ filename: 'a.png', content: 'x', contentId: `logo${text}` }] })],
    ['alternatives[0]', (text) => ({ alternatives: [{ content: 'x', mimetype: `text/x${text}` }] })],
    ['listUnsubscribe', (text) => ({ listUnsubscribe: { url: `https://example.com/${text}` } })],
    ['dsn', (text) => ({ dsn: { envid: `x${text}` } })],
  ];

  test.each(places)('%s with a line break or NUL', async (path, fields) => {
    for (const text of lineBreaks) {
      const error = await refusal(fields(text));
      expect({ text, error }).toMatchObject({ text, error: { name: 'MessageError', code: 'invalid-message' } });
      expect(JSON.stringify((error as { issues: unknown }).issues)).toContain(`"path":"${path}`);
    }
  });

  // What others wrote is repeated as far as it can be, and costs the thread at worst.
  test.each(['inReplyTo', 'references'] as const)(
    '%s with a line break or NUL makes no further header line',
    (field) => {
      for (const text of lineBreaks) {
        const mail = Buffer.from(
          composeMessage(new EmailMessage({ ...MESSAGE, [field]: `id@example.com${text}` })),
        ).toString();
        expect(mail).not.toMatch(/^(?:Bcc|X-)/im);
        expect(mail).not.toContain('\0');
      }
    },
  );

  test.each([
    ['no recipient', { to: [] }, 'to'],
    ['no recipient at all', { to: undefined }, 'to'],
    ['two mailboxes in one string', { to: 'a@x.org, b@x.org' }, 'to'],
    ['no domain', { to: 'postmaster' }, 'to'],
    ['a second @', { to: 'a@evil.org@x.org' }, 'to'],
    ['a comment that would move the domain', { to: 'u@good.com(x)evil.com' }, 'to'],
  ])('%s', async (_what, fields, path) => {
    expect(await refusal(fields)).toMatchObject({
      name: 'MessageError',
      issues: [expect.objectContaining({ path: expect.stringMatching(new RegExp(`^${path}`)) })],
    });
  });
});

describe('a configuration that cannot work is an error that names what to change', () => {
  test.each<readonly [what: string, make: () => unknown, code: string, names: RegExp]>([
    ['an unknown backend', () => getConnection('smpt'), 'unknown-backend', /smtp/],
    ['an unknown option', () => getConnection('smtp', { hots: 'x' } as SmtpBackendOptions), 'unknown-option', /hots/],
    [
      'both TLS flags',
      () => getConnection('smtp', { useTls: true, useSsl: true }),
      'conflicting-options',
      /useTls.*useSsl/s,
    ],
    ['a port out of range', () => getConnection('smtp', { port: 70_000 }), 'invalid-option', /port/],
    ['a port that is a word', () => getConnection('smtp://localhost:smtp'), 'invalid-option', /port|URL/],
    ['a user without a password', () => getConnection('smtp', { username: 'jane' }), 'missing-option', /password/],
    [
      'a line break in the name for EHLO',
      () => getConnection('smtp', { name: 'x\r\nMAIL FROM:<a@x.org>' }),
      'invalid-option',
      /name/,
    ],
  ])('%s', (_what, make, code, names) => {
    let error: unknown;
    try {
      make();
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ name: 'ConfigurationError', code, message: expect.stringMatching(names) });
  });
});

describe('a server that cannot be reached is an error that names it', () => {
  const send = (options: SmtpBackendOptions): Promise<unknown> =>
    sendMail({
      subject: 'x',
      message: 'x',
      fromEmail: 'a@x.org',
      recipientList: ['b@x.org'],
      connection: getConnection('smtp', options),
    });

  test('a port nobody listens on', async () => {
    const [port = 0] = await freePorts(1);
    await expect(send({ host: '127.0.0.1', port })).rejects.toMatchObject({
      ...{ name: 'EmailConnectionError', code: 'refused', phase: 'connect', outcome: 'not-sent', retryable: true },
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  test('a host that does not exist', async () => {
    await expect(send({ host: 'no-such-host.invalid' })).rejects.toMatchObject({
      ...{ name: 'EmailConnectionError', code: 'dns', outcome: 'not-sent' },
      message: expect.stringContaining('no-such-host.invalid'),
    });
  });

  test('its status has every recipient, and failSilently returns it', async () => {
    const [port = 0] = await freePorts(1);
    const connection = getConnection('smtp', { host: '127.0.0.1', port });
    const status = await connection.sendMessages([MESSAGE], { failSilently: true });
    expect([...status.recipients.values()]).toMatchObject([
      { address: 'b@example.com', status: 'failed', retryable: true, code: 'refused' },
    ]);
    await expect(connection.sendMessages([MESSAGE])).rejects.toMatchObject({ status: { hasFailures: true } });
  });
});
