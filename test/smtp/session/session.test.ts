import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EmailConnectionError } from '../../../src/model/errors.ts';
import { resolveSmtpOptions, type SmtpOptions } from '../../../src/smtp/options.ts';
import { openSession, type Session } from '../../../src/smtp/session/session.ts';
import { ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';

const TOKEN = 'ya29.token';
const USERS = { jane: 'pässword', token: TOKEN, long: 'x'.repeat(600) };
/** Each is another password after SASLprep: an ordinal, a square, a half, a ligature, a no-break space, a soft hyphen, a decomposed accent. */
const UNPREPARED = ['contraseña2º', 'x²', '½ & ½', 'ﬁx™', 'no\u00a0break', 'soft\u00adhyphen', 'de\u0301compose\u0301'];

let clear: ScriptedSmtpServer;
let secure: ScriptedSmtpServer;
const sessions: Session[] = [];

beforeAll(async () => {
  clear = await ScriptedSmtpServer.start({ users: USERS });
  secure = await ScriptedSmtpServer.start({ users: USERS, tls: 'generate' });
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

async function open(options: SmtpOptions = {}, server: ScriptedSmtpServer = clear): Promise<Session> {
  const resolved = resolveSmtpOptions({
    host: server.host,
    port: server.port,
    name: 'client.example.com',
    ...(server === secure && { security: 'required', tls: { ca: server.certificate ?? '', servername: 'localhost' } }),
    ...options,
  });
  const session = await openSession(resolved, new AbortController().signal);
  sessions.push(session);
  return session;
}

async function failure(options: SmtpOptions = {}, server?: ScriptedSmtpServer): Promise<EmailConnectionError> {
  const error: unknown = await open(options, server).catch((reason: unknown) => reason);
  if (!(error instanceof EmailConnectionError)) throw new Error(`no EmailConnectionError: ${String(error)}`);
  return error;
}

describe('the greeting', () => {
  it('is waited for to its last line', async () => {
    clear.on('connect', '220 mx.example.com wait\nfor it');
    expect((await open()).server).toBe('mx.example.com');
  });

  it.each([
    ['554 5.7.1 Not you', false],
    ['421 4.3.2 Too busy', true],
    ['450 4.0.0 Later', true],
  ])('%s is told as it is', async (reply, retryable) => {
    clear.on('connect', reply);
    const error = await failure();
    expect(error).toMatchObject({ code: 'greeting', phase: 'greeting', retryable, outcome: 'not-sent' });
    expect(error.message).toContain(reply);
    expect(error.transcript).toContain(`S: ${reply}`);
  });

  it('has one deadline, however slowly it trickles', async () => {
    clear.on('connect', { reply: Buffer.from('220-still\r\n220-here\r\n') });
    const error = await failure({ timeouts: { greeting: 50 } });
    expect(error).toMatchObject({ code: 'timeout', phase: 'greeting', retryable: true });
  });
});

describe('EHLO', () => {
  it('says the name it was given, or an address literal', async () => {
    await open({ name: 'me.example.com' });
    expect(clear.commands).toContain('EHLO me.example.com');
  });

  it.each(['500 5.5.1 What', '502 5.5.1 Not here', '504 5.5.4 No'])('is followed by HELO after %s', async (reply) => {
    clear.on('EHLO', reply);
    const { capabilities } = await open();
    expect(clear.commands).toEqual(['EHLO client.example.com', 'HELO client.example.com']);
    expect(capabilities.pipelining).toBe(false);
  });

  it('is followed by HELO on a new connection where the server hangs up', async () => {
    clear.on('EHLO', { end: 'fin' });
    await open();
    expect(clear.commands).toEqual(['EHLO client.example.com', 'HELO client.example.com']);
    expect(clear.connections).toHaveLength(2);
  });

  it('is not replaced by HELO when TLS or a login is needed', async () => {
    secure.on('EHLO', { end: 'fin' });
    expect(await failure({}, secure)).toMatchObject({ code: 'closed', phase: 'ehlo' });
    expect(secure.connections).toHaveLength(1);
  });

  it('is said again after TLS, and what was offered before is forgotten', async () => {
    secure.on('EHLO', ({ connection }) => (connection.secure ? '250 localhost' : undefined));
    const session = await open({}, secure);
    expect(secure.commands).toEqual(['EHLO client.example.com', 'STARTTLS', 'EHLO client.example.com']);
    expect(session).toMatchObject({ isVerified: true, capabilities: { pipelining: false } });
    expect(session.tls).toMatch(/^TLSv1\.[23]$/);
  });
});

describe('TLS', () => {
  it('that was asked for is TLS or an error', async () => {
    expect(await failure({ useTls: true })).toMatchObject({ code: 'starttls-unavailable', phase: 'tls' });
    secure.on('STARTTLS', '454 4.7.0 Not now');
    expect(await failure({}, secure)).toMatchObject({ code: 'tls', phase: 'tls', retryable: true });
  });

  it('that was only wished for may be missing, but then no credentials are sent', async () => {
    expect((await open({ security: 'opportunistic' })).isVerified).toBe(false);
    const error = await failure({ security: 'opportunistic', username: 'jane', password: 'pässword' });
    expect(error).toMatchObject({ code: 'insecure-auth', phase: 'auth' });
    expect(clear.commands.filter((command) => command.startsWith('AUTH'))).toEqual([]);
  });

  it('fails when bytes follow the reply to STARTTLS', async () => {
    for (const extra of ['250 x\r\n', '25', '421 x\r\n']) {
      secure.reset();
      secure.on('STARTTLS', Buffer.from(`220 Go\r\n${extra}`));
      expect((await failure({}, secure)).phase).toBe('tls');
      expect(secure.commands).toEqual(['EHLO client.example.com', 'STARTTLS']);
    }
  });

  it('fails when the certificate is not trusted, naming the check', async () => {
    const error = await failure({ tls: {} }, secure);
    expect(error).toMatchObject({ code: 'certificate', phase: 'tls' });
    expect(error.message).toMatch(/SELF_SIGNED|UNABLE_TO_VERIFY/);
  });
});

describe('AUTH', () => {
  const login = { username: 'jane', password: 'pässword', allowInsecureAuth: true };

  it.each(['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN'] as const)(
    'logs in by %s',
    async (authMethod) => {
      expect(await open({ ...login, authMethod })).toMatchObject({ authMethod });
      expect(clear.connections[0]?.user).toBe('jane');
    },
  );

  it.each(UNPREPARED)('sends the password %j as it is, and proves it as it is prepared', async (password) => {
    await using server = await ScriptedSmtpServer.start({ users: { jane: password } });
    for (const authMethod of ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256'] as const) {
      expect(await open({ ...login, password, authMethod }, server)).toMatchObject({ authMethod });
    }
  });

  it.each(['OAUTHBEARER', 'XOAUTH2'] as const)('logs in with a token by %s', async (authMethod) => {
    const options = { username: 'token', accessToken: TOKEN, allowInsecureAuth: true, authMethod };
    expect(await open(options)).toMatchObject({ authMethod });
  });

  it('takes the strongest that is offered', async () => {
    expect((await open(login)).authMethod).toBe('SCRAM-SHA-256');
    clear.on('EHLO', '250 localhost\nAUTH LOGIN PLAIN CRAM-MD5');
    expect((await open(login)).authMethod).toBe('CRAM-MD5');
    clear.on('EHLO', '250 localhost\nAUTH=PLAIN LOGIN');
    expect((await open(login)).authMethod).toBe('PLAIN');
  });

  it('is not given up when it is not offered', async () => {
    clear.on('EHLO', '250 localhost');
    expect(await failure(login)).toMatchObject({ code: 'auth-unavailable', phase: 'auth' });
    clear.on('EHLO', '250 localhost\nAUTH GSSAPI');
    expect((await failure(login)).message).toContain('only GSSAPI');
    clear.on('EHLO', '250 localhost\nAUTH PLAIN');
    expect((await failure({ ...login, authMethod: 'LOGIN' })).message).toContain('not LOGIN');
  });

  it('goes in two steps when the line would be longer than 512 octets', async () => {
    const options = { username: 'long', password: USERS.long, allowInsecureAuth: true, authMethod: 'PLAIN' } as const;
    await open(options);
    expect(clear.commands).toContain('AUTH PLAIN');
  });

  it('refuses a wrong password for good, 454 for now', async () => {
    expect(await failure({ ...login, password: 'wrong' })).toMatchObject({ code: 'auth', retryable: false });
    clear.on('AUTH', '454 4.7.0 Later');
    expect(await failure(login)).toMatchObject({ code: 'auth', retryable: true, reply: { code: 454 } });
  });

  it('fetches a fresh token once when the first is refused', async () => {
    const asked: boolean[] = [];
    const accessToken = ({ refresh }: { readonly refresh: boolean }): string => {
      asked.push(refresh);
      return refresh ? TOKEN : 'stale';
    };
    await open({ username: 'token', accessToken, allowInsecureAuth: true, authMethod: 'XOAUTH2' });
    expect(asked).toEqual([false, true]);
  });

  it('tells why a token was refused, and never the token', async () => {
    const challenge = Buffer.from('{"status":"401","schemes":"bearer","scope":"mail"}').toString('base64');
    clear.on('AUTH', `334 ${challenge}`);
    clear.on('RESPONSE', '535 5.7.8 Refused');
    const error = await failure({
      username: 'token',
      accessToken: 'secret.token',
      allowInsecureAuth: true,
      authMethod: 'XOAUTH2',
    });
    expect(error.message).toContain('status: 401, schemes: bearer, scope: mail');
    expect(JSON.stringify([error.message, error.transcript, error.reply])).not.toMatch(/secret\.token|c2VjcmV0/);
  });

  it('tells when no token could be got', async () => {
    const options = { username: 'token', allowInsecureAuth: true, authMethod: 'XOAUTH2' } as const;
    const broken = () => Promise.reject(new Error('no network'));
    expect(await failure({ ...options, accessToken: broken })).toMatchObject({ code: 'auth', retryable: true });
    expect(await failure({ ...options, accessToken: () => 'a\r\nb' })).toMatchObject({
      code: 'auth',
      retryable: false,
    });
  });

  it('cancels an exchange that never ends', async () => {
    // The server thinks the exchange is over after two answers; then the password, in base64, is a command to it.
    clear.on('RESPONSE', '334 ').on('YWJJ', '334 ');
    const error = await failure({ ...login, password: 'abc', authMethod: 'LOGIN' });
    expect(error.code).toBe('auth');
    expect(error.transcript?.filter((line) => line === 'C: ***')).toHaveLength(8);
    expect(error.transcript).toContain('C: *');
  });

  it('leaves a server that cannot prove it knows the password', async () => {
    clear.on('RESPONSE', `334 ${Buffer.from('v=AAAA').toString('base64')}`);
    const error = await failure({ ...login, authMethod: 'SCRAM-SHA-256' });
    expect(error).toMatchObject({ code: 'auth' });
    expect(error.message).toContain('SCRAM-SHA-256 failed');
  });

  it.each([['at once'], ['after the proof of the client']])(
    'leaves a server that says yes %s and proves nothing',
    async (when) => {
      const impostor = createServer((socket) => {
        socket.write('220 impostor\r\n');
        socket.on('data', (chunk) => {
          const [verb, , initial = ''] = chunk.toString().trim().split(' ');
          const nonce = Buffer.from(initial, 'base64').toString().split('r=')[1];
          const first = Buffer.from(`r=${nonce}more,s=c2FsdA==,i=4096`).toString('base64');
          if (verb === 'EHLO') socket.write('250-impostor\r\n250 AUTH SCRAM-SHA-256\r\n');
          else if (verb === 'AUTH' && when !== 'at once') socket.write(`334 ${first}\r\n`);
          else socket.write('235 2.7.0 Welcome\r\n');
        });
        socket.on('error', () => {});
      });
      await once(impostor.listen(0, '127.0.0.1'), 'listening');
      const { port } = impostor.address() as AddressInfo; // it listens on a port
      const error = await failure({ ...login, authMethod: 'SCRAM-SHA-256', host: '127.0.0.1', port });
      expect(error).toMatchObject({ code: 'auth', phase: 'auth' });
      expect(error.message).toContain('without proving that it knows the password');
      impostor.close();
    },
  );
});

describe('a session', () => {
  it('is given up when its signal aborts', async () => {
    clear.on('EHLO', {});
    const abort = new AbortController();
    const resolved = resolveSmtpOptions({ host: clear.host, port: clear.port });
    const opening = openSession(resolved, abort.signal);
    setTimeout(() => abort.abort(new Error('enough')), 20);
    await expect(opening).rejects.toMatchObject({ code: 'aborted', cause: { message: 'enough' } });
  });

  it('shows its dialogue to debug, without secrets', async () => {
    const lines: string[] = [];
    await open({
      username: 'jane',
      password: 'pässword',
      allowInsecureAuth: true,
      authMethod: 'PLAIN',
      debug: (line) => lines.push(line),
    });
    expect(lines).toContain('C: EHLO client.example.com');
    expect(lines).toContain('C: AUTH PLAIN ***');
    expect(lines.join('\n')).not.toMatch(/pässword|AGphbmU/);
  });
});
