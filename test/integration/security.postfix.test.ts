import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SmtpBackendOptions } from '../../src/backends/smtp.ts';
import { type EmailBackend, getConnection } from '../../src/index.ts';
import { makeCertificates, type TestCertificates } from '../servers/certificates.ts';
import { Dovecot, makeToken, PASSWORD, USER } from '../servers/dovecot.ts';
import { type Entrance, Postfix } from '../servers/postfix.ts';
import { grant, TokenEndpoint } from '../servers/token-endpoint.ts';

const MESSAGE = { subject: 'Hello', body: 'A line.', fromEmail: USER, to: 'user@example.com' };
const PASSWORD_METHODS = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256'] as const;
const TOKEN_METHODS = ['XOAUTH2', 'OAUTHBEARER'] as const;

let certificates: TestCertificates;
let dovecot: Dovecot;
let postfix: Postfix;

beforeAll(async () => {
  certificates = makeCertificates();
  dovecot = await Dovecot.start(certificates.good);
  postfix = await Postfix.start(certificates, dovecot);
});
afterAll(async () => {
  await postfix?.stop();
  await dovecot?.stop();
});
beforeEach(async () => (await postfix.settled()).clear());

function backend(entrance: Entrance, options: SmtpBackendOptions = {}): EmailBackend {
  return getConnection('smtp', {
    host: 'localhost',
    port: postfix.ports[entrance],
    tls: { ca: certificates.ca },
    ...options,
  });
}

/** What Postfix says of the last login at an entrance. */
function lastLogin(entrance: Entrance): string | undefined {
  const line = postfix
    .log()
    .split('\n')
    .findLast((text) => text.includes(`/${entrance}/smtpd`) && text.includes('sasl_method='));
  return /sasl_method=(.*)$/.exec(line ?? '')?.[1];
}

async function send(connection: EmailBackend): Promise<boolean> {
  try {
    return (await connection.sendMessages([MESSAGE])).isSuccess;
  } finally {
    await connection.close();
  }
}

describe('a login', () => {
  test.each(PASSWORD_METHODS)('by %s over STARTTLS and over TLS from the first byte', async (authMethod) => {
    const login = { username: USER, password: PASSWORD, authMethod };
    expect(await send(backend('submission', { ...login, useTls: true }))).toBe(true);
    await expect.poll(() => lastLogin('submission')).toBe(`${authMethod}, sasl_username=${USER}`);
    expect(await send(backend('smtps', { ...login, useSsl: true }))).toBe(true);
    await expect.poll(() => lastLogin('smtps')).toBe(`${authMethod}, sasl_username=${USER}`);
    const mails = (await postfix.settled()).read();
    expect(mails.map((mail) => /with (\S+)/.exec(mail.source.toString())?.[1])).toEqual(['ESMTPSA', 'ESMTPSA']);
  });

  test.each(TOKEN_METHODS)('by %s with a token', async (authMethod) => {
    const login = { username: USER, accessToken: makeToken(USER), authMethod };
    expect(await send(backend('submission', { ...login, useTls: true }))).toBe(true);
    await expect.poll(() => lastLogin('submission')).toBe(`${authMethod}, sasl_username=${USER}`);
  });

  test('takes the strongest method when none is named', async () => {
    await send(backend('submission', { username: USER, password: PASSWORD, useTls: true }));
    await expect.poll(() => lastLogin('submission')).toMatch(/^SCRAM-SHA-256,/);
    await send(backend('submission', { username: USER, accessToken: makeToken(USER), useTls: true }));
    await expect.poll(() => lastLogin('submission')).toMatch(/^OAUTHBEARER,/);
  });

  test.each(TOKEN_METHODS)('by %s gets a fresh token, once, when the first has ended', async (authMethod) => {
    const asked: boolean[] = [];
    const accessToken = ({ refresh }: { readonly refresh: boolean }): string => {
      asked.push(refresh);
      return makeToken(USER, Date.now() + (refresh ? 3_600_000 : -60_000));
    };
    expect(await send(backend('submission', { username: USER, accessToken, authMethod, useTls: true }))).toBe(true);
    expect(asked).toEqual([false, true]);
    const ended = backend('submission', {
      username: USER,
      accessToken: makeToken(USER, Date.now() - 60_000),
      authMethod,
      useTls: true,
    });
    await expect(send(ended)).rejects.toMatchObject({ name: 'EmailConnectionError', code: 'auth', phase: 'auth' });
  });

  test.each(TOKEN_METHODS)('by %s with tokens of an endpoint, the first of which has ended', async (authMethod) => {
    await using endpoint = await TokenEndpoint.start(
      grant(makeToken(USER, Date.now() - 60_000), { refresh_token: 'r2' }),
      grant(makeToken(USER)),
    );
    const oauth2 = { clientId: 'app', refreshToken: 'r1', tokenUrl: endpoint.url };
    expect(await send(backend('submission', { username: USER, oauth2, authMethod, useTls: true }))).toBe(true);
    await expect.poll(() => lastLogin('submission')).toBe(`${authMethod}, sasl_username=${USER}`);
    expect(endpoint.forms.map((form) => form['refresh_token'])).toEqual(['r1', 'r2']);
  });

  test.each(TOKEN_METHODS)(
    'by %s with a token longer than a command line may be goes in two steps',
    async (authMethod) => {
      const accessToken = makeToken(USER, undefined, 'x'.repeat(2500));
      expect(await send(backend('submission', { username: USER, accessToken, authMethod, useTls: true }))).toBe(true);
      await expect.poll(() => lastLogin('submission')).toBe(`${authMethod}, sasl_username=${USER}`);
    },
  );

  test.each(PASSWORD_METHODS)('by %s with a wrong password is an error that shows no secret', async (authMethod) => {
    const wrong = 'wröng-secret';
    const error: unknown = await send(
      backend('submission', { username: USER, password: wrong, authMethod, useTls: true }),
    ).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      name: 'EmailConnectionError',
      code: 'auth',
      phase: 'auth',
      outcome: 'not-sent',
      reply: { code: 535 },
    });
    const shown = `${String(error)} ${JSON.stringify(error)} ${(error as { transcript?: string[] }).transcript?.join('\n')}`;
    for (const secret of [
      wrong,
      Buffer.from(wrong).toString('base64'),
      Buffer.from(`\0${USER}\0${wrong}`).toString('base64'),
    ])
      expect(shown).not.toContain(secret);
    expect((await postfix.settled()).size).toBe(0);
  });

  test('is never done in clear unless that is allowed', async () => {
    const login = { username: USER, password: PASSWORD, security: 'none' } as const;
    expect(() => backend('insecureAuth', login)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', code: 'conflicting-options' }),
    );
    expect(await send(backend('insecureAuth', { ...login, allowInsecureAuth: true }))).toBe(true);
    await expect.poll(() => lastLogin('insecureAuth')).toBe(`SCRAM-SHA-256, sasl_username=${USER}`);
  });

  test('that the server does not offer is an error, not a mail without a login', async () => {
    const login = { username: USER, password: PASSWORD, useTls: true };
    await expect(send(backend('plain', login))).rejects.toMatchObject({ code: 'auth-unavailable', phase: 'auth' });
    expect((await postfix.settled()).size).toBe(0);
  });

  test('that is needed and not given is a refusal by the server', async () => {
    await expect(send(backend('submission', { useTls: true }))).rejects.toMatchObject({ name: 'SendError' });
    expect((await postfix.settled()).size).toBe(0);
  });
});

describe('TLS', () => {
  test('that was asked for and is not offered is an error', async () => {
    await expect(send(backend('noTls', { useTls: true }))).rejects.toMatchObject({
      code: 'starttls-unavailable',
      phase: 'tls',
    });
  });

  test('is used where it is offered when it is opportunistic, and left out where not', async () => {
    expect(await send(backend('plain', { security: 'opportunistic' }))).toBe(true);
    expect(await send(backend('noTls', { security: 'opportunistic' }))).toBe(true);
    const mails = (await postfix.settled()).read();
    expect(mails.map((mail) => /with (\S+)/.exec(mail.source.toString())?.[1]).sort()).toEqual(['ESMTP', 'ESMTPS']);
  });

  test.each([
    ['expired', 'expired'],
    ['wrongHost', 'mail.example.net'],
    ['selfSigned', 'self-signed'],
  ] as const)('with a certificate that is %s is an error that says so', async (entrance, reason) => {
    const error: unknown = await send(backend(entrance, { useTls: true })).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      name: 'EmailConnectionError',
      code: 'certificate',
      phase: 'tls',
      outcome: 'not-sent',
    });
    expect(String(error)).toContain(reason);
    expect((await postfix.settled()).size).toBe(0);
  });

  test('with a certificate of an authority that is not trusted is an error', async () => {
    await expect(send(backend('plain', { useTls: true, tls: {} }))).rejects.toMatchObject({ code: 'certificate' });
    await expect(send(backend('smtps', { useSsl: true, tls: {} }))).rejects.toMatchObject({ code: 'certificate' });
  });

  test('with any certificate when the check is turned off', async () => {
    expect(await send(backend('selfSigned', { useTls: true, tls: { rejectUnauthorized: false } }))).toBe(true);
  });

  test('from the first byte against a port that speaks in clear is an error', async () => {
    await expect(send(backend('plain', { useSsl: true }))).rejects.toMatchObject({ code: 'tls', outcome: 'not-sent' });
  });

  test('is used by verify, which sends nothing', async () => {
    const connection = backend('submission', { username: USER, password: PASSWORD, useTls: true });
    const { backend: name, details } = await connection.verify();
    expect(name).toBe('smtp');
    expect(details).toMatchObject({
      certificateSubject: 'CN=localhost',
      certificateIssuer: 'CN=Test CA',
      certificateNames: 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    });
    const days = (Date.parse(String(details['certificateExpires'])) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(30);
    await expect(
      backend('submission', { username: USER, password: 'wrong', useTls: true }).verify(),
    ).rejects.toMatchObject({ code: 'auth' });
    expect((await postfix.settled()).size).toBe(0);
  });
});
