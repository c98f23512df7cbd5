import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerAuthentication } from 'smtp-server';
import { afterEach, describe, expect, test } from 'vitest';
import { type EmailBackend, getConnection } from '../../src/index.ts';
import { makeCertificates } from '../servers/certificates.ts';
import { grant, TokenEndpoint } from '../servers/token-endpoint.ts';

const certificates = makeCertificates();
const MESSAGE = { subject: 'Hello', body: 'A line.', fromEmail: 'jane@example.com', to: 'user@example.com' };
const received: { user: string | undefined; content: string }[] = [];
const attempts: string[] = [];
let server: SMTPServer | undefined;

afterEach(() => new Promise<void>((resolve) => (server ? server.close(resolve) : resolve())));

/** smtp-server of the Nodemailer project, which takes the token `valid`. */
async function start(login: Parameters<typeof getConnection<'smtp'>>[1] & object): Promise<EmailBackend> {
  received.length = 0;
  attempts.length = 0;
  server = new SMTPServer({
    ...certificates.good,
    authMethods: ['XOAUTH2'],
    onAuth: (auth: SMTPServerAuthentication, _session, done) => {
      attempts.push(auth.accessToken ?? '');
      if (auth.accessToken === 'valid') done(null, { user: auth.username });
      else done(null, { data: { status: '401', schemes: 'bearer mac', scope: 'https://mail.example/' } });
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        received.push({ user: session.user, content: Buffer.concat(chunks).toString() });
        done();
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo; // it listens on a TCP port
  return getConnection('smtp', {
    host: 'localhost',
    port,
    useTls: true,
    tls: { ca: certificates.ca },
    username: 'jane',
    ...login,
  });
}

describe('XOAUTH2 with the smtp-server package', () => {
  test('a valid token sends', async () => {
    await using connection = await start({ accessToken: 'valid' });
    expect((await connection.sendMessages([MESSAGE])).isSuccess).toBe(true);
    expect(received).toEqual([{ user: 'jane', content: expect.stringContaining('Subject: Hello') }]);
  });

  test('a refused token is asked for again, once, and works when fresh', async () => {
    await using connection = await start({ accessToken: async ({ refresh }) => (refresh ? 'valid' : 'ended') });
    expect((await connection.sendMessages([MESSAGE])).isSuccess).toBe(true);
    expect(attempts).toEqual(['ended', 'valid']);
  });

  test('tokens of an endpoint: the first is refused, the second sends', async () => {
    await using endpoint = await TokenEndpoint.start(grant('ended'), grant('valid'));
    const oauth2 = { clientId: 'app', clientSecret: 'a-secret', tokenUrl: endpoint.url, scope: 'mail' };
    await using connection = await start({ oauth2 });
    expect((await connection.sendMessages([MESSAGE, MESSAGE])).isSuccess).toBe(true);
    expect(attempts).toEqual(['ended', 'valid']);
    expect(endpoint.forms.map((form) => form['grant_type'])).toEqual(['client_credentials', 'client_credentials']);
  });

  test('tokens of an endpoint that stay refused are one further login', async () => {
    await using endpoint = await TokenEndpoint.start(grant('ended'), grant('ended-too'), grant('late'));
    const oauth2 = { clientId: 'app', refreshToken: 'r1', tokenUrl: endpoint.url };
    await using connection = await start({ oauth2 });
    await expect(connection.sendMessages([MESSAGE, MESSAGE])).rejects.toMatchObject({ code: 'auth', retryable: false });
    expect(attempts).toEqual(['ended', 'ended-too']);
  });

  test("a token that stays refused is an error with the provider's reason, and without the token", async () => {
    await using connection = await start({ accessToken: 'stolen-token' });
    const error: unknown = await connection.sendMessages([MESSAGE]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'EmailConnectionError', code: 'auth', phase: 'auth', retryable: false });
    expect(String(error)).toContain('401');
    const shown = `${JSON.stringify(error)} ${String(error)} ${(error as { transcript: readonly string[] }).transcript.join('\n')}`;
    expect(shown).not.toContain('stolen-token');
    expect(shown).not.toContain(Buffer.from('user=jane\x01auth=Bearer stolen-token\x01\x01').toString('base64'));
    expect(received).toEqual([]);
  });
});
