import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Answer, Provider, Signing } from '../../src/http/provider.ts';
import { ConfigurationError, type EmailError } from '../../src/model/errors.ts';
import type { HttpRequest } from '../../src/net/transport.ts';
import { ScriptedHttp } from '../servers/scripted-http.ts';
import { type PlainOptions, PlainProvider } from './plain-provider.ts';

const mail = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };
type Sign = NonNullable<Provider['sign']>;

/** A provider that signs. */
class SigningProvider extends PlainProvider {
  readonly #sign: Sign;
  constructor(sign: Sign, options: PlainOptions) {
    super(options);
    this.#sign = sign;
  }
  protected override async load(options: PlainOptions): Promise<Provider> {
    const { authorization: _, ...provider } = await super.load(options);
    return { ...provider, sign: this.#sign };
  }
}

let server: ScriptedHttp;
beforeEach(async () => {
  server = await ScriptedHttp.start();
  server.script = () => ({ body: { id: '1' } });
});
afterEach(() => server.close());

async function sent(sign: Sign, options: PlainOptions = {}, signal?: AbortSignal): Promise<unknown> {
  const backend = new SigningProvider(sign, { baseUrl: server.url, ...options });
  const status = await backend.sendMessages([mail], signal ? { signal } : {}).catch((error: unknown) => error);
  await backend.close();
  return status;
}
const tokens = () => server.calls.map(({ headers }) => headers['authorization']);
const token = (text: string) => ({ headers: { authorization: `Bearer ${text}` }, secrets: [text] });

test('each try of a request is signed anew, as it leaves', async () => {
  const seen: HttpRequest[] = [];
  server.script = (_, count) => (count < 3 ? { status: 429 } : { body: { id: '1' } });
  const status = await sent(
    async (request) => {
      seen.push(request);
      return token(`try-${seen.length}`);
    },
    { retry: { attempts: 3, baseMs: 1, maxMs: 1 } },
  );
  expect(status).toMatchObject({ isSuccess: true });
  expect(tokens()).toEqual(['Bearer try-1', 'Bearer try-2', 'Bearer try-3']);
  expect(seen[0]).toMatchObject({
    method: 'POST',
    url: `${server.url}/send`,
    headers: { 'content-type': 'application/json' },
    body: server.calls[0]?.body.toString(),
  });
});

test('the harmless request of verify is signed, too', async () => {
  const backend = new SigningProvider(async () => token('mine'), { baseUrl: server.url });
  await backend.verify();
  await backend.close();
  expect(tokens()).toEqual(['Bearer mine']);
});

describe('a refusal of who sends', () => {
  const renewing =
    (given: Signing['refused'][]): Sign =>
    async (_, { refused }) => {
      given.push(refused);
      return refused === null ? token('stale') : token('fresh');
    };

  test('is answered with another signature, once: nothing was sent', async () => {
    const given: Signing['refused'][] = [];
    server.script = (_, count) => (count === 1 ? { status: 401, body: { message: 'stale' } } : { body: { id: '1' } });
    expect(await sent(renewing(given))).toMatchObject({ isSuccess: true });
    expect(tokens()).toEqual(['Bearer stale', 'Bearer fresh']);
    expect(given).toEqual([
      null,
      { headers: token('stale').headers, answer: expect.objectContaining({ status: 401 }) },
    ]);
  });

  test('stands when it comes twice', async () => {
    server.script = () => ({ status: 401 });
    expect(await sent(renewing([]))).toMatchObject({ code: 'auth', outcome: 'not-sent' });
    expect(server.calls).toHaveLength(2);
  });

  test('stands when there is nothing else to sign with', async () => {
    server.script = () => ({ status: 403, body: { message: 'no' } });
    const error = await sent(async (_, { refused }) => (refused === null ? token('only') : null));
    expect(error).toMatchObject({ code: 'auth', message: 'plain refuses the key: 403 no' });
    expect(server.calls).toHaveLength(1);
  });
});

describe('a signature that cannot be made: nothing leaves', () => {
  test('because a function fails', async () => {
    const error = await sent(async () => {
      throw new Error('the vault says s3cret');
    });
    expect(error).toMatchObject({ code: 'auth', phase: 'auth', outcome: 'not-sent', retryable: false });
    expect((error as Error).message).toBe('the request to plain could not be signed');
  });

  test('because the credentials are of no use', async () => {
    const fault = new ConfigurationError('invalid-credentials', 'accessKey is not base64');
    const error = await sent(async () => {
      throw fault;
    });
    expect(error).toMatchObject({ code: 'invalid-credentials', outcome: 'not-sent' });
  });

  test('in time', async () => {
    const error = await sent(() => new Promise(() => {}), { timeoutMs: 20 });
    expect(error).toMatchObject({ code: 'timeout', outcome: 'not-sent', retryable: true });
  });

  test('before the call was aborted', async () => {
    const controller = new AbortController();
    const sign: Sign = () => {
      controller.abort();
      return new Promise(() => {});
    };
    expect(await sent(sign, {}, controller.signal)).toMatchObject({ code: 'aborted', outcome: 'not-sent' });
  });

  afterEach(() => expect(server.calls).toEqual([]));
});

test('what a request was signed with is in nothing that is said', async () => {
  server.script = ({ headers }) => ({ status: 422, body: { message: `sent with ${headers['authorization']}` } });
  const error = await sent(async () => token('s3cret-token'));
  expect(tokens()).toEqual(['Bearer s3cret-token']);
  const { status } = error as EmailError;
  const said = [inspect(error, { depth: 9 }), JSON.stringify(status), JSON.stringify([...(status?.recipients ?? [])])];
  expect(said.join('\n')).not.toContain('s3cret-token');
  expect((error as Error).message).toContain('sent with Bearer ***');
});

describe('what verify was signed with is in nothing that it tells', () => {
  test.each([
    ['its details', { account: 'holder of the-token' }, 'holder of ***'],
    ['a 200 that says no', { code: 'account', message: 'no such the-token' }, 'no such ***'],
  ])('%s', async (_, body, expected) => {
    server.script = () => ({ body });
    class Refusing extends SigningProvider {
      protected override async load(options: PlainOptions): Promise<Provider> {
        const provider = await super.load(options);
        const read = ({ body: said }: Answer) => ('code' in (said as object) ? null : { ...(said as object) });
        return { ...provider, check: { path: '/me', read } };
      }
    }
    const backend = new Refusing(async () => token('the-token'), { baseUrl: server.url });
    const told = await backend.verify().catch((error: unknown) => error);
    await backend.close();
    expect(inspect(told, { depth: 9 })).toContain(expected);
    expect(inspect(told, { depth: 9 })).not.toContain('the-token');
  });
});
