import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getConnection } from '../../src/connection/connection.ts';
import { ConfigurationError, EmailError } from '../../src/model/errors.ts';
import { ScriptedHttp } from '../servers/scripted-http.ts';
import { type PlainOptions, PlainProvider } from './plain-provider.ts';

const mail = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };

function refusal(make: () => unknown): ConfigurationError {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a base URL without TLS', () => {
  test.each([
    'http://api.example.com',
    'HTTP://api.example.com/gateway',
    'http://10.0.0.1:8080',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://[::2]:80',
    'http://0.0.0.0:8080',
  ])('%s would get the key in the clear, and is refused', (baseUrl) => {
    const error = refusal(() => new PlainProvider({ baseUrl }));
    expect(error).toMatchObject({ code: 'invalid-option', option: 'baseUrl', otherOptions: ['allowInsecureAuth'] });
    expect(error.message).toMatch(/baseUrl must begin with https:\/\/, as the key is sent there .*allowInsecureAuth/);
  });

  test.each(['http://127.0.0.1:8080', 'http://127.8.9.1', 'http://127.1', 'http://localhost:80/x', 'http://[::1]:80'])(
    '%s is this machine, and is taken',
    (baseUrl) => {
      expect(new PlainProvider({ baseUrl }).name).toBe('plain');
    },
  );

  test('is taken where somebody says that nobody listens', () => {
    expect(new PlainProvider({ baseUrl: 'http://gateway.internal', allowInsecureAuth: true }).name).toBe('plain');
  });

  test('is refused in a connection URL, too, and may be allowed there', () => {
    const url = 'resend://re_1@?baseUrl=http://gateway.internal';
    expect(refusal(() => getConnection(url))).toMatchObject({ option: 'baseUrl' });
    expect(getConnection(`${url}&allowInsecureAuth=true`).name).toBe('resend');
  });

  test('is refused with fetch, too', () => {
    const options = { baseUrl: 'http://api.example.com', fetch: globalThis.fetch };
    expect(refusal(() => new PlainProvider(options)).option).toBe('baseUrl');
  });

  test('leads through a proxy to the machine of the proxy', () => {
    const options = { baseUrl: 'http://127.0.0.1:8080', proxy: 'http://proxy.example.com:3128' };
    expect(refusal(() => new PlainProvider(options)).message).toContain('and not through a proxy');
    expect(new PlainProvider({ ...options, allowInsecureAuth: true }).name).toBe('plain');
  });
});

test('a password in the base URL is refused, and not shown', () => {
  const error = refusal(() => new PlainProvider({ baseUrl: 'https://user:the-password@api.example.com' }));
  expect(error).toMatchObject({ code: 'invalid-option', option: 'baseUrl' });
  expect(error.message).not.toContain('the-password');
});

describe('a redirection', () => {
  let server: ScriptedHttp;
  let elsewhere: ScriptedHttp;
  beforeEach(async () => {
    server = await ScriptedHttp.start();
    elsewhere = await ScriptedHttp.start();
  });
  afterEach(async () => {
    await server.close();
    await elsewhere.close();
  });

  async function failure(options: PlainOptions): Promise<EmailError> {
    const backend = new PlainProvider({ baseUrl: server.url, ...options });
    const error: unknown = await backend.sendMessages([mail]).catch((thrown: unknown) => thrown);
    await backend.close();
    if (error instanceof EmailError) return error;
    throw new Error(`no error, but ${String(error)}`);
  }

  const transports: [string, PlainOptions][] = [
    ['node:http', {}],
    ['fetch', { fetch: globalThis.fetch }],
  ];
  describe.each(transports)('by %s', (_, transport) => {
    test.each([301, 302, 303, 307, 308])(
      'with %i is not followed, so that the key goes nowhere else',
      async (status) => {
        server.script = () => ({ status, headers: { location: elsewhere.url } });
        const error = await failure(transport);
        expect(error).toMatchObject({ code: 'provider', outcome: 'not-sent' });
        expect(error.message).toContain('it leads elsewhere: check baseUrl');
        expect(elsewhere.connections).toBe(0);
      },
    );
  });

  test('is told as one by runtimes that show no status of it', async () => {
    const hidden = { status: 0, headers: new Headers(), body: null };
    const error = await failure({ fetch: async () => hidden as Response }); // what a page gets of it
    expect(error).toMatchObject({ code: 'provider' });
    expect(error.message).toContain('check baseUrl');
  });
});
