import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EmailConnectionError } from '../../../src/model/errors.ts';
import { AUTH_METHODS, resolveSmtpOptions, type SmtpOptions } from '../../../src/smtp/options.ts';
import { mechanisms } from '../../../src/smtp/session/auth.ts';
import { openSession, type Session } from '../../../src/smtp/session/session.ts';
import { ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';

const PASSWORD = 'correct horse';
let clear: ScriptedSmtpServer;
let secure: ScriptedSmtpServer;
const sessions: Session[] = [];

beforeAll(async () => {
  const users = { jane: PASSWORD, token: 'a-token' };
  clear = await ScriptedSmtpServer.start({ users });
  secure = await ScriptedSmtpServer.start({ users, tls: 'generate' });
  return async () => {
    await clear.close();
    await secure.close();
  };
});

afterEach(() => {
  for (const { wire } of sessions.splice(0)) wire.hangUp();
  clear.reset();
  secure.reset();
});

async function login(options: SmtpOptions = {}, server = secure): Promise<string | null> {
  const { host, port, certificate } = server;
  const tls = { ca: certificate ?? '', servername: 'localhost' };
  const trust: SmtpOptions = server === secure ? { security: 'required', tls } : { allowInsecureAuth: true };
  const user = { username: 'jane', password: PASSWORD };
  const resolved = resolveSmtpOptions({ host, port, ...trust, ...user, ...options });
  const session = await openSession(resolved, new AbortController().signal);
  sessions.push(session);
  return session.authMethod;
}

async function failure(options: SmtpOptions = {}, server?: ScriptedSmtpServer): Promise<EmailConnectionError> {
  const error: unknown = await login(options, server).catch((reason: unknown) => reason);
  if (!(error instanceof EmailConnectionError)) throw new Error(`no EmailConnectionError: ${String(error)}`);
  return error;
}

/** The mechanisms that were begun, in order. */
function begun(server = secure): readonly string[] {
  return server.commands.flatMap((command) => /^AUTH (\S+)/.exec(command)?.[1] ?? []);
}

/** Offers these mechanisms. */
function offer(methods: string, server = secure): void {
  server.on('EHLO', ({ connection }) =>
    connection.secure || server === clear ? `250 localhost\nAUTH ${methods}` : undefined,
  );
}

/** Answers AUTH by mechanism; those without an answer work. */
function answer(replies: Readonly<Record<string, string>>, server = secure): void {
  server.on('AUTH', ({ argument }) => replies[argument.split(' ', 1)[0] ?? '']);
}

const ALL = 'LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256';
const NO = '535 5.7.8 Error: authentication failed: no mechanism available';
const ABSENT = '504 5.5.4 Not here';
const WEAK = '534 5.7.9 Too weak';

describe('a refused login over TLS', () => {
  it.each([
    ['once more, with the password itself', ALL, { 'SCRAM-SHA-256': NO }, ['SCRAM-SHA-256', 'PLAIN']],
    ['by LOGIN where PLAIN is not offered', 'CRAM-MD5 LOGIN', { 'CRAM-MD5': NO }, ['CRAM-MD5', 'LOGIN']],
    ['by LOGIN after PLAIN', 'PLAIN LOGIN', { PLAIN: NO }, ['PLAIN', 'LOGIN']],
    ['after 504', ALL, { 'SCRAM-SHA-256': ABSENT }, ['SCRAM-SHA-256', 'SCRAM-SHA-1']],
    [
      'after 504, 534, 501 and 432, each once',
      ALL,
      { 'SCRAM-SHA-256': ABSENT, 'SCRAM-SHA-1': WEAK, 'CRAM-MD5': '501 5.5.2 What', PLAIN: '432 4.7.12 Not yet' },
      ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN'],
    ],
    [
      'after 504, and once more after 535',
      ALL,
      { 'SCRAM-SHA-256': ABSENT, 'SCRAM-SHA-1': NO },
      ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'],
    ],
  ])('is tried %s, on the same connection', async (_, offered, replies, expected) => {
    offer(offered);
    answer(replies);
    expect(await login()).toBe(expected.at(-1));
    expect(begun()).toEqual(expected);
    expect(secure.connections).toHaveLength(1);
  });

  it('is two logins with a wrong password, and the error names both', async () => {
    const error = await failure({ password: 'wrong' });
    expect(begun()).toEqual(['SCRAM-SHA-256', 'PLAIN']);
    expect(error).toMatchObject({ code: 'auth', phase: 'auth', retryable: false, reply: { code: 535 } });
    expect(error.message).toMatch(/refused the login by SCRAM-SHA-256: 535 .*refused the login by PLAIN: 535/);
    expect(JSON.stringify([error.message, error.transcript])).not.toMatch(/wrong|d3Jvbmc/);
  });

  it('is not tried a third time, even where the second says 504', async () => {
    answer({ 'SCRAM-SHA-256': NO, PLAIN: ABSENT });
    expect(await failure()).toMatchObject({ code: 'auth', reply: { code: 504 } });
    expect(begun()).toEqual(['SCRAM-SHA-256', 'PLAIN']);
  });

  it('is not tried otherwise when one mechanism was chosen', async () => {
    answer({ 'SCRAM-SHA-256': ABSENT });
    expect((await failure({ authMethod: 'SCRAM-SHA-256' })).message).toContain('SCRAM-SHA-256: 504 5.5.4 Not here');
    expect(begun()).toEqual(['SCRAM-SHA-256']);
  });

  it('is left for later after 421', async () => {
    answer({ 'SCRAM-SHA-256': '421 4.3.2 Bye' });
    expect(await failure()).toMatchObject({ code: 'auth', retryable: true });
    expect(begun()).toEqual(['SCRAM-SHA-256']);
  });

  it('is left for later when every mechanism gets 454', async () => {
    offer('SCRAM-SHA-256 PLAIN');
    answer({ 'SCRAM-SHA-256': '454 4.7.0 Later', PLAIN: '454 4.7.0 Later' });
    expect(await failure()).toMatchObject({ code: 'auth', retryable: true });
    expect(begun()).toEqual(['SCRAM-SHA-256', 'PLAIN']);
  });

  it.each([
    ['a nonce that is not ours', `334 ${Buffer.from('r=x,s=c2FsdA==,i=4096').toString('base64')}`],
    ['rounds for hours', `334 ${Buffer.from('r=x,s=c2FsdA==,i=999999999').toString('base64')}`],
    ['what is not base64', '334 !!!'],
    ['nothing', '334 '],
  ])('is cancelled and tried by the next when the exchange breaks: %s', async (_, challenge) => {
    offer('SCRAM-SHA-256 PLAIN');
    answer({ 'SCRAM-SHA-256': challenge });
    expect(await login()).toBe('PLAIN');
    expect(secure.commands).toContain('RESPONSE *');
    expect(begun()).toEqual(['SCRAM-SHA-256', 'PLAIN']);
  });

  it('is over when the server does not take the cancelling', async () => {
    answer({ 'SCRAM-SHA-256': '334 !!!' });
    secure.on('RESPONSE', '334 go on');
    expect((await failure()).message).toContain('SCRAM-SHA-256 failed: the server answered to another nonce');
    expect(begun()).toEqual(['SCRAM-SHA-256']);
  });

  it('is over when the server has not proved that it knows the password: it gets it by no other mechanism', async () => {
    secure.on('RESPONSE', `334 ${Buffer.from('v=AAAA').toString('base64')}`);
    expect(await failure()).toMatchObject({ code: 'auth', reply: null });
    secure.on('RESPONSE', '235 2.7.0 Welcome');
    expect((await failure({ password: 'wrong' })).message).toContain('without proving that it knows the password');
    expect(new Set(begun())).toEqual(new Set(['SCRAM-SHA-256']));
  });

  it('is refused where the server says so in place of its proof (RFC 5802, section 7)', async () => {
    const challenge = `334 ${Buffer.from('e=invalid-proof').toString('base64')}`;
    // The receiver takes 334 for its verdict, so that our empty answer to it comes as a command.
    secure.once('RESPONSE', challenge).once('', NO);
    const error = await failure({ password: 'wrong' });
    expect(error.message).toContain(`the server refused the login by SCRAM-SHA-256: ${NO}`);
    expect(begun()).toEqual(['SCRAM-SHA-256', 'PLAIN']);
  });

  it.each([
    ['without a word', { reply: NO, end: 'fin' } as const],
    ['by 421', Buffer.from(`${NO}\r\n421 4.7.0 Too many errors\r\n`)],
  ])('is told as it is when the server hangs up %s', async (_, fault) => {
    secure.on('AUTH', fault);
    const error = await failure();
    expect(error).toMatchObject({ code: 'auth', retryable: false, reply: { code: 535 } });
    expect(error.message).toContain('it hung up before it answered PLAIN, which authMethod can choose');
  });

  it('with a token is tried by XOAUTH2 after 504, and not after 535', async () => {
    const token = { username: 'token', accessToken: 'a-token' };
    answer({ OAUTHBEARER: ABSENT });
    expect(await login(token)).toBe('XOAUTH2');
    secure.reset();
    expect((await failure({ ...token, accessToken: 'stale' })).code).toBe('auth');
    expect(begun()).toEqual(['OAUTHBEARER']);
  });
});

describe('a refused login without TLS', () => {
  it.each([
    [ALL, 'SCRAM-SHA-256', NO],
    [ALL, 'SCRAM-SHA-256', ABSENT],
    [ALL, 'SCRAM-SHA-256', '334 !!!'],
    ['CRAM-MD5 PLAIN', 'CRAM-MD5', ABSENT],
  ])('never falls back on a weaker mechanism: %s', async (offered, method, reply) => {
    offer(offered, clear);
    answer({ [method]: reply }, clear);
    expect((await failure({}, clear)).code).toBe('auth');
    expect(begun(clear)).toEqual([method]);
  });

  it('is made by PLAIN or LOGIN where nothing stronger is offered', async () => {
    offer('LOGIN', clear);
    expect(await login({}, clear)).toBe('LOGIN');
  });
});

describe('the mechanisms to try', () => {
  const offered = new Set<string>(AUTH_METHODS);
  const terms = { chosen: null, known: null, isSecure: true };

  it.each([
    ['all, the strongest first', terms, false, ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN']],
    ['no MD5 in FIPS mode', terms, true, ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'LOGIN']],
    ['the one that was chosen', { ...terms, chosen: 'LOGIN' as const }, false, ['LOGIN']],
    [
      'the one that is known to work, then the others',
      { ...terms, known: 'PLAIN' as const },
      false,
      ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'LOGIN'],
    ],
    ['the strongest alone without TLS', { ...terms, isSecure: false }, false, ['SCRAM-SHA-256']],
  ])('are %s', (_, given, isFips, expected) => {
    expect(mechanisms(offered, false, given, isFips)).toEqual(expected);
  });
});
