import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EmailConnectionError } from '../../src/model/errors.ts';
import type { OAuth2Options } from '../../src/net/oauth-options.ts';
import { OAuthTokens } from '../../src/net/oauth-tokens.ts';
import { makeCertificates } from '../servers/certificates.ts';
import { freePorts } from '../servers/process.ts';
import { grant, refuse, type TokenAnswer, TokenEndpoint } from '../servers/token-endpoint.ts';

const SECRET = 'cl13nt s3cret&+';
const REFRESH = '1//refresh-token-of-jane';
let endpoint: TokenEndpoint;
let clock = 0;

beforeEach(async () => {
  endpoint = await TokenEndpoint.start();
  clock = 1_000_000;
});
afterEach(() => endpoint[Symbol.asyncDispose]());

/** With a refresh token, unless the changes say otherwise. */
function tokensOf(changes: Partial<OAuth2Options> = {}, timeoutMs = 20_000): OAuthTokens {
  const options = { clientId: 'app', clientSecret: SECRET, refreshToken: REFRESH, tokenUrl: endpoint.url, ...changes };
  return new OAuthTokens(options as OAuth2Options, timeoutMs, () => clock); // the tests give what fits together
}

async function failure(promise: Promise<unknown>): Promise<EmailConnectionError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof EmailConnectionError)) throw new Error(`no EmailConnectionError: ${inspect(error)}`);
  return error;
}

/** All that an error shows, to whoever prints it. */
function shown(error: EmailConnectionError): string {
  return `${inspect(error, { depth: 9, showHidden: true })}\n${JSON.stringify(error)}\n${error.stack}`;
}

describe('a token', () => {
  it('is asked for with the refresh token', async () => {
    endpoint.answer(grant('t1'));
    expect(await tokensOf({ scope: 'https://mail.google.com/' }).get()).toBe('t1');
    expect(endpoint.forms).toEqual([
      {
        grant_type: 'refresh_token',
        client_id: 'app',
        client_secret: SECRET,
        refresh_token: REFRESH,
        scope: 'https://mail.google.com/',
      },
    ]);
  });

  it('is asked for without a secret where the application has none', async () => {
    endpoint.answer(grant('t1'));
    const tokens = new OAuthTokens({ clientId: 'app', refreshToken: REFRESH, tokenUrl: endpoint.url }, 20_000);
    await tokens.get();
    expect(endpoint.forms).toEqual([{ grant_type: 'refresh_token', client_id: 'app', refresh_token: REFRESH }]);
  });

  it('is asked for with the credentials of the application', async () => {
    endpoint.answer(grant('t1'));
    const scope = 'https://outlook.office365.com/.default';
    const options = { clientId: 'app', clientSecret: SECRET, tokenUrl: endpoint.url, scope };
    expect(await new OAuthTokens(options, 20_000).get()).toBe('t1');
    expect(endpoint.forms).toEqual([
      { grant_type: 'client_credentials', client_id: 'app', client_secret: SECRET, scope },
    ]);
  });

  it.each([
    ['an hour', { expires_in: 3600 }, 3_540_000],
    ['ten minutes, in digits', { expires_in: '600' }, 540_000],
    ['a minute', { expires_in: 60 }, 30_000],
    ['no time', { expires_in: 0 }, 0],
  ])('that holds for %s is kept until shortly before', async (_, life, keptMs) => {
    endpoint.answer(grant('t1', life), grant('t2', life));
    const tokens = tokensOf();
    expect(await tokens.get()).toBe('t1');
    clock += keptMs - 1;
    if (keptMs > 0) expect(await tokens.get()).toBe('t1');
    clock += 1;
    expect(await tokens.get()).toBe('t2');
    expect(endpoint.forms).toHaveLength(2);
  });

  it.each([[{ expires_in: undefined }], [{ expires_in: null }], [{ expires_in: 1e300 }]])(
    'whose end nobody knows is kept until it is refused: %j',
    async (life) => {
      endpoint.answer(grant('t1', life), grant('t2', life));
      const tokens = tokensOf();
      await tokens.get();
      clock += 1e12;
      expect(await tokens.get()).toBe('t1');
      expect(await tokens.get('t1')).toBe('t2');
    },
  );

  it('is got once for all who wait', async () => {
    endpoint.answer(grant('t1'), grant('t2'), grant('t3'));
    const tokens = tokensOf();
    const first = await Promise.all(Array.from({ length: 5 }, () => tokens.get()));
    expect(first).toEqual(['t1', 't1', 't1', 't1', 't1']);
    const next = await Promise.all([tokens.get('t1'), tokens.get('t1'), tokens.get('t1')]);
    expect(next).toEqual(['t2', 't2', 't2']);
    expect(await tokens.get('t1')).toBe('t2'); // who learns of the refusal last takes what others have got
    expect(endpoint.forms).toHaveLength(2);
  });

  it('that was refused is given to nobody else, although the next is on its way or cannot be got', async () => {
    endpoint.answer(grant('t1'), grant('t2'), refuse(503, 'busy'), grant('t4'));
    const tokens = tokensOf();
    await tokens.get();
    expect(await Promise.all([tokens.get('t1'), tokens.get()])).toEqual(['t2', 't2']);
    await failure(tokens.get('t2'));
    expect(await tokens.get()).toBe('t4');
  });

  it('that could not be got is asked for again by the next', async () => {
    endpoint.answer(refuse(503, 'busy'), grant('t1'));
    const tokens = tokensOf();
    const [first, second] = await Promise.all([failure(tokens.get()), failure(tokens.get())]);
    expect(second).toBe(first);
    expect(await tokens.get()).toBe('t1');
  });
});

describe('a refresh token that takes the place of the last one', () => {
  it('is used from then on, and told', async () => {
    endpoint.answer(
      grant('t1', { refresh_token: 'r2' }),
      grant('t2'),
      grant('t3', { refresh_token: 'r3' }),
      grant('t4'),
    );
    const onRefreshToken = vi.fn<(token: string) => void>();
    const tokens = tokensOf({ onRefreshToken });
    for (const refused of [null, 't1', 't2', 't3']) await tokens.get(refused);
    expect(endpoint.forms.map((form) => form['refresh_token'])).toEqual([REFRESH, 'r2', 'r2', 'r3']);
    expect(onRefreshToken.mock.calls).toEqual([['r2'], ['r3']]);
  });

  it.each([[{ refresh_token: REFRESH }], [{ refresh_token: '' }], [{ refresh_token: null }]])(
    'is none when it is the same or empty: %j',
    async (more) => {
      endpoint.answer(grant('t1', more), grant('t2', more));
      const onRefreshToken = vi.fn<(token: string) => void>();
      const tokens = tokensOf({ onRefreshToken });
      await tokens.get();
      await tokens.get('t1');
      expect(endpoint.forms.map((form) => form['refresh_token'])).toEqual([REFRESH, REFRESH]);
      expect(onRefreshToken).not.toHaveBeenCalled();
    },
  );

  it('is kept by the application before the mail goes', async () => {
    endpoint.answer(grant('t1', { refresh_token: 'r2' }));
    const order: string[] = [];
    const onRefreshToken = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push('kept');
    };
    await tokensOf({ onRefreshToken })
      .get()
      .then(() => order.push('token'));
    expect(order).toEqual(['kept', 'token']);
  });

  it.each([
    ['throws', () => new Error(`no database for ${REFRESH}, r2`), null],
    ['fails later', () => Promise.reject(new Error('no database')), null],
    ['never ends', () => new Promise<void>(() => {}), 1_000],
  ])('costs no mail when onRefreshToken %s, and is told again', async (_, fail, timeoutMs) => {
    const warnings: string[] = [];
    const listener = (warning: Error): unknown => warnings.push(warning.message);
    process.on('warning', listener);
    endpoint.answer(grant('t1', { refresh_token: 'r2' }), grant('t2'), grant('t3'));
    let works = false;
    const told: string[] = [];
    const onRefreshToken = (token: string): void | Promise<void> => {
      told.push(token);
      if (works) return;
      const outcome = fail();
      if (outcome instanceof Error) throw outcome;
      return outcome;
    };
    const tokens = tokensOf({ onRefreshToken }, timeoutMs ?? 20_000);
    expect(await tokens.get()).toBe('t1');
    works = true;
    expect(await tokens.get('t1')).toBe('t2');
    expect(await tokens.get('t2')).toBe('t3');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listener);
    expect(told).toEqual(['r2', 'r2']);
    expect(warnings).toEqual([expect.stringContaining('oauth2.onRefreshToken failed')]);
    expect(warnings.join()).not.toMatch(new RegExp(`${REFRESH}|r2`));
  });
});

describe('a refusal', () => {
  const echo = `bad ${SECRET} ${encodeURIComponent(SECRET)}\r\n\u001b[31m for ${REFRESH}`;

  it.each<[number, object, string]>([
    [400, { error: 'invalid_grant', error_description: echo }, 'set oauth2.refreshToken'],
    [401, { error: 'invalid_client', error_description: echo }, 'check oauth2.clientId and oauth2.clientSecret'],
    [400, { error: 'invalid_scope' }, 'check oauth2.scope'],
    [400, { error: 'unauthorized_client' }, 'where the application is registered'],
    [400, { error: 'unsupported_grant_type' }, 'check oauth2.tokenUrl'],
    [403, { error: 'something_else' }, 'check oauth2'],
    [400, { error: 'constructor' }, 'check oauth2'],
    [200, { error: 'invalid_grant' }, 'set oauth2.refreshToken'],
    [400, { error: REFRESH, error_description: SECRET }, 'check oauth2'],
  ])('%i %j says what to change, and shows no secret', async (status, body, advice) => {
    endpoint.answer(refuse(status, body));
    const error = await failure(tokensOf().get());
    expect(error).toMatchObject({ code: 'auth', phase: 'auth', retryable: false, reply: { code: status } });
    const code = String((body as { error: string }).error);
    expect(error.message).toContain(`the token endpoint ${new URL(endpoint.url).host} gives no token: `);
    expect(error.message).toContain(advice);
    if (code !== REFRESH) expect(error.message).toContain(code);
    expect(error.message).not.toMatch(/\p{Cc}/u);
    for (const secret of [SECRET, encodeURIComponent(SECRET), REFRESH]) expect(shown(error)).not.toContain(secret);
  });

  it.each<[number, object | string]>([
    [429, { error: 'slow_down' }],
    [408, ''],
    [500, '<html>oops'],
    [503, { error: 'temporarily_unavailable' }],
    [400, { error: 'temporarily_unavailable' }],
  ])('that is over by itself, %i %j, can be tried again', async (status, body) => {
    endpoint.answer(refuse(status, body));
    expect(await failure(tokensOf().get())).toMatchObject({
      code: 'connection',
      phase: 'auth',
      retryable: true,
      reply: { code: status },
    });
  });
});

describe('an answer that is none of OAuth 2.0', () => {
  const huge: TokenAnswer = (response) => {
    response.on('error', () => {});
    response.write(`{"access_token":"t1","token_type":"Bearer","x":"${'x'.repeat(70_000)}`); // and it never ends
  };

  it.each<[string, TokenAnswer, string]>([
    ['a page', refuse(200, '<html>sign in'), 'no JSON object'],
    ['nothing', refuse(204, ''), 'no JSON object'],
    ['a list', refuse(200, '[]'), 'no JSON object'],
    ['null', refuse(200, 'null'), 'no JSON object'],
    ['a page that is not there', refuse(404, 'Not Found'), '404'],
    ['another method', refuse(405, ''), '405'],
    ['a page that has moved', refuse(302, '', { location: 'https://example.com/token' }), 'where it leads'],
    ['a page that has moved for good', refuse(308, '', { location: '/other' }), 'where it leads'],
    ['more than any token', huge, 'more than 65536 bytes'],
    ['no token', { token_type: 'Bearer' }, 'access_token'],
    ['an empty token', grant(''), 'access_token'],
    ['a token with a line break', grant('abc\r\nRCPT TO:<x@example.com>'), 'access_token'],
    ['a token with a control character', grant('abc\u0001auth=Bearer x'), 'access_token'],
    ['a token that is no text', { access_token: { a: 1 }, token_type: 'Bearer' }, 'access_token'],
    ['a token of another type', grant('t1', { token_type: 'mac' }), 'token_type'],
    ['a type that is no text', grant('t1', { token_type: 1 }), 'token_type'],
    ['a time below zero', grant('t1', { expires_in: -1 }), 'expires_in'],
    ['a time in words', grant('t1', { expires_in: 'soon' }), 'expires_in'],
    ['a refresh token that is no text', grant('t1', { refresh_token: 5 }), 'refresh_token'],
    ['a refresh token with a line break', grant('t1', { refresh_token: 'a\nb' }), 'refresh_token'],
  ])('%s is refused', async (_, answer, what) => {
    endpoint.answer(answer);
    const error = await failure(tokensOf().get());
    expect(error).toMatchObject({ code: 'protocol', phase: 'auth', retryable: false });
    expect(error.message).toContain(what);
    expect(shown(error)).not.toContain('RCPT TO');
  });

  it('a redirection is not followed: the secrets are for one address', async () => {
    await using elsewhere = await TokenEndpoint.start(grant('stolen'));
    endpoint.answer(refuse(307, '', { location: elsewhere.url }));
    expect((await failure(tokensOf().get())).code).toBe('protocol');
    expect(elsewhere.forms).toEqual([]);
  });

  it('types are compared as RFC 6749 says, and one may be left out', async () => {
    endpoint.answer(grant('t1', { token_type: 'bearer' }), grant('t2', { token_type: undefined }));
    const tokens = tokensOf();
    expect(await tokens.get()).toBe('t1');
    expect(await tokens.get('t1')).toBe('t2');
  });
});

describe('an endpoint out of reach', () => {
  it('where nothing listens can be tried again', async () => {
    const [port] = await freePorts(1);
    const error = await failure(tokensOf({ tokenUrl: `http://127.0.0.1:${port}/token` }).get());
    expect(error).toMatchObject({ code: 'refused', phase: 'auth', retryable: true });
    expect(error.message).toContain(`127.0.0.1:${port}`);
    expect(shown(error)).not.toContain(REFRESH);
  });

  it('that hangs up can be tried again', async () => {
    endpoint.answer((response) => response.socket?.destroy());
    expect(await failure(tokensOf().get())).toMatchObject({ code: 'closed', retryable: true });
  });

  it.each<[string, TokenAnswer]>([
    ['says nothing', () => {}],
    ['stops in the middle', (response) => response.writeHead(200).write('{"access_token":')],
  ])('that %s is waited for no longer than a connection', async (_, answer) => {
    endpoint.answer(answer);
    const error = await failure(tokensOf({}, 50).get());
    expect(error).toMatchObject({ code: 'timeout', phase: 'auth', retryable: true });
    expect(error.message).toContain('within 50 ms');
  });

  it('that nobody vouches for gets no secret', async () => {
    await using secure = await TokenEndpoint.startSecure(makeCertificates().selfSigned, grant('t1'));
    const error = await failure(tokensOf({ tokenUrl: secure.url }).get());
    expect(error).toMatchObject({ code: 'certificate', phase: 'auth', retryable: false });
    expect(secure.forms).toEqual([]);
  });

  it('that speaks no TLS gets no secret', async () => {
    const error = await failure(tokensOf({ tokenUrl: endpoint.url.replace('http:', 'https:') }).get());
    expect(error).toMatchObject({ phase: 'auth', retryable: false });
    expect(endpoint.forms).toEqual([]);
  });
});

it('shows no secret itself', async () => {
  endpoint.answer(grant('t1-of-jane', { refresh_token: 'r2-of-jane' }));
  const tokens = tokensOf();
  await tokens.get();
  const text = `${inspect(tokens, { depth: 9, showHidden: true })}${JSON.stringify(tokens)}`;
  expect(text).not.toMatch(/cl13nt|refresh-token|of-jane/);
});
