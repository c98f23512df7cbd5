import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SmtpBackend, SmtpBackendOptions } from '../../src/backends/smtp.ts';
import { SendFailed } from '../../src/events/mail-events.ts';
import { EmailConnectionError, type EmailError } from '../../src/model/errors.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { freePorts } from '../servers/process.ts';
import { grant, refuse, TokenEndpoint } from '../servers/token-endpoint.ts';
import { connectTo, mails } from './smtp-fixture.ts';

const SECRETS = ['cl13nt-secret', 'refresh-of-jane', 'valid-token', 'stale-token'];
const NO = '535 5.7.8 Username and Password not accepted';
let server: ScriptedSmtpServer;
let endpoint: TokenEndpoint;

beforeAll(async () => {
  server = await ScriptedSmtpServer.start({ users: { jane: 'valid-token' }, tls: 'generate' });
});
afterAll(() => server.close());
beforeEach(async () => {
  endpoint = await TokenEndpoint.start(grant('valid-token'));
});
afterEach(async () => {
  server.reset();
  await endpoint[Symbol.asyncDispose]();
});

function connect(options: SmtpBackendOptions = {}): SmtpBackend {
  const tls = { ca: server.certificate ?? '', servername: 'localhost' };
  const oauth2 = {
    clientId: 'app',
    clientSecret: 'cl13nt-secret',
    refreshToken: 'refresh-of-jane',
    tokenUrl: endpoint.url,
  };
  return connectTo(server, { useTls: true, tls, username: 'jane', oauth2, ...options });
}

/** The mechanisms that were begun, in order. */
function begun(): readonly string[] {
  return server.commands.flatMap((command) => /^AUTH (\S+)/.exec(command)?.[1] ?? []);
}

async function failure(promise: Promise<unknown>): Promise<EmailConnectionError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof EmailConnectionError)) throw new Error(`no EmailConnectionError: ${inspect(error)}`);
  return error;
}

/** Secrets, also as they cross the wire, in what anybody may print. */
function leaksIn(...shown: readonly unknown[]): readonly string[] {
  const text = shown
    .map((value) => `${inspect(value, { depth: 12, showHidden: true })}${JSON.stringify(value)}`)
    .join();
  const wire = (token: string) => [
    `n,a=jane,\u0001auth=Bearer ${token}\u0001\u0001`,
    `user=jane\u0001auth=Bearer ${token}\u0001\u0001`,
  ];
  const forms = SECRETS.flatMap((secret) => [
    secret,
    ...wire(secret).map((line) => Buffer.from(line).toString('base64')),
  ]);
  return forms.filter((form) => text.includes(form));
}

describe('a login with oauth2', () => {
  it('gets a token once for all connections of a pool, and for all calls', async () => {
    server.on('message', { reply: '250 2.0.0 Taken', delayMs: 50 });
    const backend = connect({ maxConnections: 5, maxInFlight: 1 });
    const calls = await Promise.all(mails(30).map((mail) => backend.sendMessages([mail])));
    expect(calls.every(({ isSuccess }) => isSuccess)).toBe(true);
    expect(begun().length).toBeGreaterThan(1);
    expect(new Set(begun())).toEqual(new Set(['OAUTHBEARER']));
    expect((await backend.verify()).details).toMatchObject({ authMethod: 'OAUTHBEARER' });
    expect(endpoint.forms).toHaveLength(1);
  });

  it('uses the refresh token that an answer brought, also for further connections', async () => {
    const told: string[] = [];
    endpoint.answer(grant('valid-token', { refresh_token: 'r2', expires_in: 0 }), grant('valid-token'));
    const oauth2 = {
      clientId: 'app',
      refreshToken: 'r1',
      tokenUrl: endpoint.url,
      onRefreshToken: (token: string) => void told.push(token),
    };
    const backend = connect({ oauth2, idleMs: 0 });
    for (let call = 0; call < 3; call++) expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
    expect(endpoint.forms.map((form) => form['refresh_token'])).toEqual(['r1', 'r2']);
    expect(told).toEqual(['r2']);
  });

  it('is not made without TLS, and no token is got for it', async () => {
    await using clear = await ScriptedSmtpServer.start({ users: { jane: 'valid-token' } });
    const backend = connectTo(clear, {
      security: 'opportunistic',
      username: 'jane',
      oauth2: { clientId: 'app', refreshToken: 'refresh-of-jane', tokenUrl: endpoint.url },
    });
    expect(await failure(backend.sendMessages(mails(1)))).toMatchObject({ code: 'insecure-auth' });
    expect(endpoint.forms).toEqual([]);
  });

  it('needs a server that takes tokens, and gets none for another', async () => {
    server.on('EHLO', ({ connection }) => (connection.secure ? '250 localhost\nAUTH PLAIN LOGIN' : undefined));
    expect(await failure(connect().sendMessages(mails(1)))).toMatchObject({ code: 'auth-unavailable' });
    expect(endpoint.forms).toEqual([]);
  });
});

describe('a token that the server refuses', () => {
  it.each(['OAUTHBEARER', 'XOAUTH2'] as const)('is replaced, and the mail goes: %s', async (authMethod) => {
    endpoint.answer(grant('stale-token'), grant('valid-token'));
    const backend = connect({ authMethod });
    expect((await backend.sendMessages(mails(3))).isSuccess).toBe(true);
    expect(begun()).toEqual([authMethod, authMethod]);
    expect(endpoint.forms).toHaveLength(2);
    expect(server.connections).toHaveLength(1);
  });

  it('at once with 535, as Microsoft does, is replaced, too', async () => {
    let logins = 0;
    server.on('AUTH', () => (++logins === 1 ? '535 5.7.3 Authentication unsuccessful' : undefined));
    endpoint.answer(grant('stale-token'), grant('valid-token'));
    expect((await connect().sendMessages(mails(1))).isSuccess).toBe(true);
    expect(begun()).toHaveLength(2);
  });

  it('is replaced once for all connections that had it', async () => {
    endpoint.answer(grant('valid-token'), grant('other-token'), grant('too-many'));
    server.on('message', { reply: '250 2.0.0 Taken', delayMs: 20 });
    const backend = connect({ maxConnections: 5, maxInFlight: 1, idleMs: 0 });
    await backend.sendMessages(mails(1));
    // From now on the token that all know has been taken back.
    server.on('AUTH', ({ argument }) => {
      const said = Buffer.from(argument.split(' ')[1] ?? '', 'base64').toString();
      return said.includes('other-token') ? '235 2.7.0 Accepted' : NO;
    });
    expect((await backend.sendMessages(mails(30))).isSuccess).toBe(true);
    expect(endpoint.forms).toHaveLength(2);
  });

  it('twice is one further login, whoever waits, and none for a minute', async () => {
    endpoint.answer(grant('stale-token'), grant('stale-token-2'), grant('stale-token-3'));
    const backend = connect();
    const errors = await Promise.all(mails(20).map((mail) => failure(backend.sendMessages([mail]))));
    const later = await failure(backend.sendMessages(mails(1)));
    expect(begun()).toEqual(['OAUTHBEARER', 'OAUTHBEARER']);
    expect(server.connections).toHaveLength(1);
    expect(endpoint.forms).toHaveLength(2);
    for (const error of [...errors, later]) {
      expect(error).toMatchObject({ code: 'auth', phase: 'auth', retryable: false, reply: { code: 535 } });
    }
    expect(leaksIn(...errors, later)).toEqual([]);
  });

  it('by a server that hangs up then is replaced for the next try', async () => {
    endpoint.answer(grant('stale-token'), grant('valid-token'));
    server.once('AUTH', { reply: NO, end: 'fin' });
    const backend = connect({ retry: { attempts: 2, baseMs: 1 } });
    expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
    expect(begun()).toEqual(['OAUTHBEARER', 'OAUTHBEARER']);
    expect(endpoint.forms).toHaveLength(2);
  });

  it('is not tried again where the endpoint gives the same one', async () => {
    endpoint.answer(grant('stale-token'));
    expect((await failure(connect().sendMessages(mails(1)))).code).toBe('auth');
    expect(begun()).toEqual(['OAUTHBEARER']);
    expect(endpoint.forms).toHaveLength(2);
  });
});

describe('a token that cannot be got', () => {
  it('for good is one question for all mails, and none for a minute', async () => {
    endpoint.answer(refuse(400, { error: 'invalid_grant', error_description: 'Token refresh-of-jane was revoked' }));
    const backend = connect();
    const errors = await Promise.all(mails(20).map((mail) => failure(backend.sendMessages([mail]))));
    const later = await failure(backend.sendMessages(mails(1)));
    expect(endpoint.forms).toHaveLength(1);
    expect(begun()).toEqual([]);
    for (const error of [...errors, later]) {
      expect(error).toMatchObject({ code: 'auth', phase: 'auth', retryable: false, outcome: 'not-sent' });
      expect(error.message).toMatch(/invalid_grant \(Token \*\*\* was revoked\); .*set oauth2\.refreshToken/);
    }
    expect(leaksIn(...errors)).toEqual([]);
    expect((await failure(backend.verify())).code).toBe('auth');
    expect(endpoint.forms).toHaveLength(2);
  });

  it('now is tried again as `retry` says, and the mail goes', async () => {
    endpoint.answer(refuse(503, 'busy'), grant('valid-token'));
    const status = await connect({ retry: { attempts: 2, baseMs: 1 } }).sendMessages(mails(1));
    expect(status.isSuccess).toBe(true);
    expect(endpoint.forms).toHaveLength(2);
  });

  it('as nobody answers there is a failure of the connection', async () => {
    const [port] = await freePorts(1);
    const oauth2 = { clientId: 'app', refreshToken: 'refresh-of-jane', tokenUrl: `http://127.0.0.1:${port}/` };
    const error = await failure(connect({ oauth2 }).sendMessages(mails(1)));
    expect(error).toMatchObject({ code: 'refused', phase: 'auth', retryable: true, outcome: 'not-sent' });
    expect(error.message).toContain('check oauth2.tokenUrl');
  });

  it('within timeouts.connect fails', async () => {
    endpoint.answer(() => {});
    const backend = connect({ timeouts: { connect: 500 } });
    expect(await failure(backend.sendMessages(mails(1)))).toMatchObject({ code: 'timeout', retryable: true });
  });

  it('ends the wait when the call is aborted; what it brings later is not lost', async () => {
    const abort = new AbortController();
    let answerNow = (): void => {};
    endpoint.answer((response) => {
      answerNow = () => void response.end(JSON.stringify(grant('valid-token', { refresh_token: 'r2' })));
      abort.abort();
    }, grant('too-many'));
    const told: string[] = [];
    const oauth2 = {
      clientId: 'app',
      refreshToken: 'r1',
      tokenUrl: endpoint.url,
      onRefreshToken: (token: string) => void told.push(token),
    };
    const backend = connect({ oauth2 });
    const error: unknown = await backend
      .sendMessages(mails(1), { signal: abort.signal })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'aborted', outcome: 'not-sent' });
    answerNow();
    expect((await backend.sendMessages(mails(1))).isSuccess).toBe(true);
    expect(told).toEqual(['r2']);
    expect(endpoint.forms).toHaveLength(1);
  });
});

it('shows no secret: not to those who print, listen, or debug', async () => {
  const lines: string[] = [];
  const heard: unknown[] = [];
  const stop = SendFailed.subscribe((event, next) => {
    heard.push(event);
    return next(event);
  });
  endpoint.answer(grant('stale-token'), grant('valid-token'), refuse(400, { error: 'cl13nt-secret' }));
  const backend = connect({ debug: (line) => void lines.push(line) });
  const status = await backend.sendMessages(mails(1));
  const details = await backend.verify();
  server.on('AUTH', ({ argument }) => `535 5.7.8 no: ${argument}`);
  const error: EmailError = await failure(connect().verify());
  const failed = await connect().sendMessages(mails(1), { failSilently: true });
  stop();
  expect(lines.join('\n')).toContain('AUTH OAUTHBEARER ***');
  expect(heard).toHaveLength(1);
  expect(leaksIn(lines, heard, backend, status, details, error, failed, backend.stats())).toEqual([]);
});
