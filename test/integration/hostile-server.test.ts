import { describe, expect, test } from 'vitest';
import type { SmtpBackendOptions } from '../../src/backends/smtp.ts';
import { getConnection } from '../../src/index.ts';
import { ScriptedSmtpServer, type ScriptedSmtpServerOptions } from '../../src/testing/index.ts';
import { makeCertificates } from '../servers/certificates.ts';

const certificates = makeCertificates();
const MESSAGE = { subject: 'Hello', body: 'A line.', fromEmail: 'a@example.com', to: 'b@example.com' };
const LOGIN = { username: 'jane', password: 'secret' };

/** The error of one send to a server with a script; checks that no mail and no secret reached it. */
async function failure(
  prepare: (server: ScriptedSmtpServer) => unknown,
  options: SmtpBackendOptions,
  serverOptions: ScriptedSmtpServerOptions = {},
): Promise<unknown> {
  await using server = await ScriptedSmtpServer.start({
    tls: certificates.good,
    users: { jane: 'secret' },
    ...serverOptions,
  });
  prepare(server);
  await using connection = getConnection('smtp', {
    host: 'localhost',
    port: server.port,
    tls: { ca: certificates.ca },
    ...options,
  });
  const error: unknown = await connection.sendMessages([MESSAGE]).then(
    () => 'it was sent',
    (caught: unknown) => caught,
  );
  expect(server.messages).toEqual([]);
  return error;
}

describe('between us and the server sits somebody who', () => {
  test('takes STARTTLS out of the offer', async () => {
    const error = await failure((server) => server.on('EHLO', '250 localhost\nPIPELINING\nAUTH PLAIN'), {
      ...LOGIN,
      useTls: true,
    });
    expect(error).toMatchObject({ code: 'starttls-unavailable', phase: 'tls', outcome: 'not-sent' });
  });

  test.each(['454 4.7.0 TLS not available', '502 5.5.1 What?'])('answers STARTTLS with %s', async (reply) => {
    const error = await failure((server) => server.on('STARTTLS', reply), { ...LOGIN, useTls: true });
    expect(error).toMatchObject({ name: 'EmailConnectionError', phase: 'tls', outcome: 'not-sent' });
  });

  test.each([
    ['a whole reply', '220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n'],
    ['a fragment', '220 go\r\n2'],
    ['a line end', '220 go\r\n\n'],
  ])('puts %s behind the reply to STARTTLS', async (_what, octets) => {
    const error = await failure((server) => server.on('STARTTLS', Buffer.from(octets)), { ...LOGIN, useTls: true });
    expect(error).toMatchObject({ name: 'EmailConnectionError', phase: 'tls', outcome: 'not-sent' });
  });

  test('takes AUTH out of the offer', async () => {
    const error = await failure(() => {}, { ...LOGIN, useTls: true }, { users: {} });
    expect(error).toMatchObject({ code: 'auth-unavailable', phase: 'auth', outcome: 'not-sent' });
  });

  test('offers AUTH before TLS only: what was offered in clear is forgotten', async () => {
    const error = await failure(
      (server) =>
        server.on('EHLO', ({ connection }) =>
          connection.secure ? '250 localhost\nPIPELINING' : '250 localhost\nSTARTTLS\nAUTH PLAIN',
        ),
      { ...LOGIN, useTls: true },
    );
    expect(error).toMatchObject({ code: 'auth-unavailable', phase: 'auth' });
  });

  test('leaves the offer of AUTH but takes TLS away, where TLS is only a wish', async () => {
    const error = await failure(
      (server) => server.on('EHLO', '250 localhost\nAUTH PLAIN LOGIN'),
      { ...LOGIN, security: 'opportunistic' },
      { allowInsecureAuth: true },
    );
    expect(error).toMatchObject({ code: 'insecure-auth', phase: 'auth', outcome: 'not-sent' });
  });

  test('asks for the password in clear by offering nothing but AUTH LOGIN in HELO times', async () => {
    const error = await failure((server) => server.on('EHLO', '502 5.5.1 Say HELO'), { ...LOGIN, useTls: true });
    expect(error).toMatchObject({ code: 'starttls-unavailable', phase: 'tls' });
  });

  test('echoes our secrets in its refusal: they are not passed on', async () => {
    const base64 = Buffer.from('\0jane\0secret').toString('base64');
    const error = await failure((server) => server.on('AUTH', `535 5.7.8 ${base64} and secret are wrong`), {
      ...LOGIN,
      useTls: true,
      authMethod: 'PLAIN',
    });
    expect(error).toMatchObject({ code: 'auth', reply: { code: 535 } });
    const shown = `${String(error)} ${JSON.stringify(error)} ${(error as { transcript: readonly string[] }).transcript.join('\n')}`;
    expect(shown).not.toContain(base64);
    expect(shown).not.toContain('secret');
  });
});

describe('a server that', () => {
  test.each([
    ['two greetings', (server: ScriptedSmtpServer) => server.on('connect', Buffer.from('220 a\r\n220 b\r\n'))],
    [
      'a reply with different codes',
      (server: ScriptedSmtpServer) => server.on('EHLO', Buffer.from('250-a\r\n550 b\r\n')),
    ],
    ['no number', (server: ScriptedSmtpServer) => server.on('EHLO', Buffer.from('hello\r\n'))],
    ['a flood of lines', (server: ScriptedSmtpServer) => server.on('EHLO', Buffer.from('250-x\r\n'.repeat(400_000)))],
    ['one endless line', (server: ScriptedSmtpServer) => server.on('EHLO', Buffer.alloc(4_000_000, '2'))],
  ] as const)('says %s is left, and nothing is sent', async (_what, prepare) => {
    const error = await failure(prepare, { security: 'none' });
    expect(error).toMatchObject({ name: 'EmailConnectionError', code: 'protocol', outcome: 'not-sent' });
  });

  test('says no number in the middle of a mail is left, and the mail is certainly not sent', async () => {
    const prepare = (server: ScriptedSmtpServer): unknown => server.on('MAIL', Buffer.from('hello\r\n'));
    const error = await failure(prepare, { security: 'none' }, { extensions: ['PIPELINING'] });
    expect(error).toMatchObject({ name: 'EmailConnectionError', code: 'protocol', phase: 'mail', outcome: 'not-sent' });
    expect(String(error)).toContain('not an SMTP reply');
  });

  test('hangs up with 421 is quoted', async () => {
    const error = await failure((server) => server.on('MAIL', '421 4.3.2 Going down for maintenance'), {
      security: 'none',
    });
    expect(error).toMatchObject({ reply: { code: 421, text: 'Going down for maintenance' }, retryable: true });
  });

  test('falls silent in the middle of a reply is given up after timeoutMs', async () => {
    const error = await failure((server) => server.on('EHLO', Buffer.from('250-loc')), {
      security: 'none',
      timeoutMs: 1_000,
    });
    expect(error).toMatchObject({ code: 'timeout', phase: 'ehlo', retryable: true, outcome: 'not-sent' });
  });
});
