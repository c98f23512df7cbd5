import { describe, expect, test } from 'vitest';
import type { EmailBackend } from '../../src/backend/backend.ts';
import { getConnection } from '../../src/connection/connection.ts';
import { ConfigurationError } from '../../src/model/errors.ts';
import { setEnvironment } from '../../src/options/environment.ts';
import { ProbeBackend } from '../probe-backend.ts';

function failure(env: Record<string, string>, act: () => EmailBackend): ConfigurationError {
  const restore = setEnvironment({ env });
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  } finally {
    restore();
  }
  throw new Error('it passed');
}

const smtp =
  (options: object = {}) =>
  () =>
    getConnection('smtp', options);
const chosen =
  (options: object = {}) =>
  () =>
    getConnection(undefined, options);

describe('a fault in code is blamed on no variable', () => {
  const cases: [string, Record<string, string>, () => EmailBackend, string, readonly string[]][] = [
    ['another option has a variable', { AMSDAL_EMAIL_PORT: '2525' }, smtp({ host: 'smtp://x' }), 'host', []],
    ['its own variable does not count', { AMSDAL_EMAIL_HOST: 'mail.x.org' }, smtp({ host: 'smtp://x' }), 'host', []],
    ['both are in code', { AMSDAL_EMAIL_PORT: '2525' }, smtp({ lmtp: true, port: 25 }), 'port', ['lmtp']],
    ['a part of an option', { AMSDAL_EMAIL_TIMEOUT: '5' }, smtp({ timeouts: { final: 0 } }), 'timeouts.final', []],
    ['an unknown option', { AMSDAL_EMAIL_HOST: 'h' }, smtp({ hots: 'h' }), 'hots', []],
    ['a password without user', { AMSDAL_EMAIL_HOST: 'h' }, smtp({ password: 'p' }), 'username', ['password']],
    ['a URL beside it', { AMSDAL_EMAIL_URL: 'smtp://h' }, chosen({ port: 0 }), 'port', []],
    ['a URL with the same option', { AMSDAL_EMAIL_URL: 'smtp://h:25' }, chosen({ port: 0 }), 'port', []],
  ];
  test.each(cases)('%s', (_, env, act, option, otherOptions) => {
    const error = failure(env, act);
    expect(error).toMatchObject({ option, otherOptions, variable: null });
    expect(error.message).not.toMatch(/AMSDAL_/);
  });
});

describe('a fault in the environment is blamed on its variable', () => {
  const cases: [Record<string, string>, () => EmailBackend, string | null, string][] = [
    [{ AMSDAL_EMAIL_HOST: 'smtp://x' }, smtp(), 'host', 'AMSDAL_EMAIL_HOST'],
    [{ AMSDAL_EMAIL_PORT: 'x' }, smtp(), 'port', 'AMSDAL_EMAIL_PORT'],
    [{ AMSDAL_EMAIL_PORT: '25' }, smtp({ lmtp: true }), 'port', 'AMSDAL_EMAIL_PORT'],
    [{ AMSDAL_EMAIL_PASSWORD: 'p' }, smtp(), 'username', 'AMSDAL_EMAIL_USER'],
    [{ AMSDAL_EMAIL_USER: 'u' }, smtp(), 'password', 'AMSDAL_EMAIL_PASSWORD'],
    [{ AMSDAL_EMAIL_USE_SSL: '1' }, smtp({ useTls: true }), 'useTls', 'AMSDAL_EMAIL_USE_SSL'],
    [{ AMSDAL_EMAIL_URL: 'smtp://user@h' }, chosen(), 'password', 'AMSDAL_EMAIL_URL'],
    [{ AMSDAL_EMAIL_URL: 'smtp://h:25?lmtp=1' }, chosen(), 'port', 'AMSDAL_EMAIL_URL'],
    [{ AMSDAL_EMAIL_URL: 'smtp://h?useTls=1' }, chosen({ useSsl: true }), 'useTls', 'AMSDAL_EMAIL_URL'],
    [{ AMSDAL_EMAIL_URL: 'smtp://h?port=0' }, chosen(), 'port', 'AMSDAL_EMAIL_URL'],
    [{ AMSDAL_EMAIL_URL: 'smtp://h', AMSDAL_EMAIL_DEBUG: 'x' }, chosen(), 'debug', 'AMSDAL_EMAIL_DEBUG'],
    [{ AMSDAL_EMAIL_URL: 'smtp://h', AMSDAL_EMAIL_HOST: 'h' }, chosen(), null, 'AMSDAL_EMAIL_HOST'],
    [{ AMSDAL_EMAIL_PROXY: 'proxy:3128' }, smtp(), 'proxy', 'AMSDAL_EMAIL_PROXY'],
    [{ AMSDAL_EMAIL_URL: 'smtp://h?proxy=p' }, chosen(), 'proxy', 'AMSDAL_EMAIL_URL'],
    [{ AMSDAL_EMAIL_PROXY: 'http://p', AMSDAL_EMAIL_HOST: 'a%b' }, smtp(), 'host', 'AMSDAL_EMAIL_HOST'],
    [{ AMSDAL_EMAIL_BACKEND: 'nope' }, chosen(), null, 'AMSDAL_EMAIL_BACKEND'],
    [{ AMSDAL_EMAIL_REDIRECT_TO: '' }, smtp(), null, 'AMSDAL_EMAIL_REDIRECT_TO'],
    [{ AWS_ACCESS_KEY_ID: 'AKIA' }, () => getConnection('ses'), 'secretAccessKey', 'AWS_SECRET_ACCESS_KEY'],
  ];
  test.each(cases)('%j: %s', (env, act, option, variable) => {
    const error = failure(env, act);
    expect(error).toMatchObject({ option, variable });
    expect(error.message).toContain(variable);
  });
});

describe("a backend of one's own", () => {
  class Picky extends ProbeBackend {
    constructor(options: { readonly region?: string; readonly mode?: string } = {}) {
      super();
      if (options.mode !== undefined)
        throw new ConfigurationError('invalid-option', 'mode: from code, AMSDAL_EMAIL_FROM or defaultFrom', {
          option: 'mode',
        });
      throw new ConfigurationError('invalid-option', 'the defaultFrom is odd');
    }
  }

  test('says which option is at fault', () => {
    const error = failure({ AMSDAL_EMAIL_FROM: 'a@x.org' }, () => getConnection(Picky, { mode: 'x' }));
    expect(error).toMatchObject({ option: 'mode', otherOptions: [], variable: null });
  });

  test('is not read for words when it does not', () => {
    const error = failure({ AMSDAL_EMAIL_FROM: 'a@x.org' }, () => getConnection(Picky));
    expect(error).toMatchObject({ option: null, variable: null, message: 'the defaultFrom is odd' });
  });
});
