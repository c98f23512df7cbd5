import { describe, expect, test } from 'vitest';
import { BACKEND_OPTIONS } from '../../src/backend/backend.ts';
import { FileBackend } from '../../src/backends/file.ts';
import { SesBackend } from '../../src/backends/ses.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { chosenBackend, URL_PARTS } from '../../src/connection/known-variables.ts';
import { mergeOptions, resolveTarget } from '../../src/connection/target.ts';
import { ConfigurationError } from '../../src/model/errors.ts';
import type { Environment } from '../../src/options/environment.ts';
import { environmentOptions } from '../../src/options/variables.ts';
import { resolveSmtpOptions } from '../../src/smtp/options.ts';

const TABLES = { smtp: SmtpBackend.optionTable, ses: SesBackend.optionTable, file: FileBackend.optionTable };

const options = (backend: keyof typeof TABLES, environment: Environment, hasUrl = false) =>
  environmentOptions(TABLES[backend], environment, hasUrl ? URL_PARTS : []);

describe('every variable sets its option', () => {
  const cases: [keyof typeof TABLES, Environment, Record<string, unknown>][] = [
    ['smtp', { AMSDAL_EMAIL_HOST: 'mail.x.org' }, { host: 'mail.x.org' }],
    ['smtp', { AMSDAL_EMAIL_PORT: '2525' }, { port: 2525 }],
    ['smtp', { AMSDAL_EMAIL_USER: 'mailer' }, { username: 'mailer' }],
    ['smtp', { AMSDAL_EMAIL_PASSWORD: ' p:@# ' }, { password: ' p:@# ' }],
    ['smtp', { AMSDAL_EMAIL_USE_TLS: 'True' }, { useTls: true }],
    ['smtp', { AMSDAL_EMAIL_USE_TLS: 'false' }, { useTls: false }],
    ['smtp', { AMSDAL_EMAIL_USE_SSL: '1' }, { useSsl: true }],
    ['smtp', { AMSDAL_EMAIL_TIMEOUT: '30' }, { timeoutMs: 30_000 }],
    ['smtp', { AMSDAL_EMAIL_TIMEOUT: '0.25' }, { timeoutMs: 250 }],
    ['smtp', { AMSDAL_EMAIL_PROXY: 'http://u:p@proxy:3128' }, { proxy: 'http://u:p@proxy:3128' }],
    ['smtp', { AMSDAL_EMAIL_DEBUG: '1' }, { debug: true }],
    ['smtp', { AMSDAL_EMAIL_FROM: 'Shop <shop@x.org>' }, { defaultFrom: 'Shop <shop@x.org>' }],
    ['file', { AMSDAL_EMAIL_FILE_PATH: './mails', AMSDAL_EMAIL_HOST: 'x' }, { path: './mails' }],
    ['file', { AMSDAL_EMAIL_FROM: 'shop@x.org' }, { defaultFrom: 'shop@x.org' }],
    ['ses', { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 's' }, { accessKeyId: 'AKIA', secretAccessKey: 's' }],
    ['ses', { AWS_SESSION_TOKEN: 't' }, { sessionToken: 't' }],
    ['ses', { AWS_REGION: 'eu-west-1' }, { region: 'eu-west-1' }],
    ['ses', { AWS_DEFAULT_REGION: 'eu-west-2' }, { region: 'eu-west-2' }],
    ['ses', { AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-2' }, { region: 'eu-west-1' }],
    ['ses', { AWS_SES_CONFIGURATION_SET: 'marketing' }, { configurationSet: 'marketing' }],
  ];
  test.each(cases)('%s, %j: %j', (backend, environment, expected) => {
    expect(options(backend, environment)).toEqual(expected);
  });

  test('an empty variable counts as not set', () => {
    expect(options('smtp', { AMSDAL_EMAIL_HOST: '', AMSDAL_EMAIL_PORT: '', AMSDAL_EMAIL_USE_TLS: '' })).toEqual({});
  });

  test('beside a URL, only what does not describe the server', () => {
    const environment = {
      AMSDAL_EMAIL_HOST: 'h',
      AMSDAL_EMAIL_USER: 'u',
      AMSDAL_EMAIL_PASSWORD: 'p',
      AMSDAL_EMAIL_TIMEOUT: '1',
    };
    const others = { AMSDAL_EMAIL_FROM: 'a@x.org', AMSDAL_EMAIL_DEBUG: '1' };
    expect(options('smtp', { ...environment, ...others }, true)).toEqual({ defaultFrom: 'a@x.org', debug: true });
  });

  test('a backend we do not know gets the default sender, as text', () => {
    expect(environmentOptions(BACKEND_OPTIONS, { AMSDAL_EMAIL_FROM: 'a@x.org', AMSDAL_EMAIL_HOST: 'h' }, [])).toEqual({
      defaultFrom: 'a@x.org',
    });
    expect(environmentOptions(BACKEND_OPTIONS, { AMSDAL_EMAIL_FROM: 'a@x.org' }, [])).toEqual({
      defaultFrom: 'a@x.org',
    });
  });
});

describe('AMSDAL_EMAIL_PROXY is the way to every host', () => {
  const environment = { AMSDAL_EMAIL_PROXY: 'http://proxy:3128' };
  const proxyOf = (target: string, given: object = {}, more: Environment = {}) =>
    mergeOptions(resolveTarget(target, environment), given, { ...environment, ...more })['proxy'];

  test.each([
    ['smtp', {}],
    ['smtp', { host: 'mail.x.org' }],
    ['gmail', {}],
    ['smtp://h', {}],
  ])('of %s with %j', (target, given) => {
    expect(proxyOf(target, given)).toBe('http://proxy:3128');
  });

  test.each([
    ['code', 'smtp', { proxy: 'socks5://other' }],
    ['a URL', 'smtp://h?proxy=socks5://other', {}],
  ])('unless %s says another', (_, target, given) => {
    expect(proxyOf(target, given)).toBe('socks5://other');
  });

  test.each([
    ['a unix socket', 'smtp', { path: '/run/smtp' }],
    ['a unix socket of a URL', 'smtp://?path=/run/smtp', {}],
    ['a socket of the caller', 'smtp', { socket: () => null }],
  ])('and does not count for %s', (_, target, given) => {
    expect(proxyOf(target, given)).toBeUndefined();
  });

  test('those of other programs are not read', () => {
    const others = { HTTP_PROXY: 'http://p', HTTPS_PROXY: 'http://p', ALL_PROXY: 'http://p', https_proxy: 'http://p' };
    expect(options('smtp', others)).toEqual({});
  });
});

describe('AMSDAL_EMAIL_TIMEOUT bounds every wait but the one for the last reply', () => {
  const resolved = (options: object, environment: Environment = { AMSDAL_EMAIL_TIMEOUT: '20' }, target = 'smtp') => {
    const merged = mergeOptions(resolveTarget(target, environment), options, environment);
    return resolveSmtpOptions(merged).timeouts;
  };
  const ALL = { connect: 20_000, greeting: 20_000, reply: 20_000, data: 20_000 };

  test.each<[object, object]>([
    [{}, { ...ALL, final: 600_000 }],
    [{ timeouts: { final: 9 } }, { ...ALL, final: 9 }],
    [{ timeouts: { connect: 9 } }, { ...ALL, connect: 9, final: 600_000 }],
    [{ timeoutMs: 5 }, { connect: 5, greeting: 5, reply: 5, data: 5, final: 5 }],
  ])('with %j in code', (options, timeouts) => {
    expect(resolved(options)).toEqual(timeouts);
  });

  test('a longer one is the longest wait for that, too', () => {
    expect(resolved({}, { AMSDAL_EMAIL_TIMEOUT: '900' }).final).toBe(900_000);
  });

  test('in a URL it is an option like any other', () => {
    expect(resolved({}, {}, 'smtp://h?timeoutMs=7')).toMatchObject({ reply: 7, final: 7 });
  });

  test('a preset has it as well', () => {
    expect(resolved({}, { AMSDAL_EMAIL_TIMEOUT: '20' }, 'gmail')).toEqual({ ...ALL, final: 600_000 });
  });
});

describe('a wrong value names the variable, what is wrong, and an example', () => {
  const cases: [keyof typeof TABLES, Environment, string][] = [
    [
      'smtp',
      { AMSDAL_EMAIL_PORT: 'smtp' },
      "AMSDAL_EMAIL_PORT must be an integer from 1 to 65535, not 'smtp'; for example AMSDAL_EMAIL_PORT=587",
    ],
    [
      'smtp',
      { AMSDAL_EMAIL_PORT: '70000' },
      "AMSDAL_EMAIL_PORT must be an integer from 1 to 65535, not '70000'; for example AMSDAL_EMAIL_PORT=587",
    ],
    [
      'smtp',
      { AMSDAL_EMAIL_USE_TLS: 'ja' },
      "AMSDAL_EMAIL_USE_TLS must be true or false, not 'ja'; for example AMSDAL_EMAIL_USE_TLS=true",
    ],
    [
      'smtp',
      { AMSDAL_EMAIL_USE_SSL: '2' },
      "AMSDAL_EMAIL_USE_SSL must be true or false, not '2'; for example AMSDAL_EMAIL_USE_SSL=true",
    ],
    [
      'smtp',
      { AMSDAL_EMAIL_TIMEOUT: '30s' },
      "AMSDAL_EMAIL_TIMEOUT must be a number of seconds, not '30s'; for example AMSDAL_EMAIL_TIMEOUT=30",
    ],
    [
      'smtp',
      { AMSDAL_EMAIL_TIMEOUT: '0' },
      "AMSDAL_EMAIL_TIMEOUT must be a number of seconds, not '0'; for example AMSDAL_EMAIL_TIMEOUT=30",
    ],
    [
      'smtp',
      { AMSDAL_EMAIL_DEBUG: 'maybe' },
      "AMSDAL_EMAIL_DEBUG must be true, false, or a function that takes each line, not 'maybe'; for example AMSDAL_EMAIL_DEBUG=1",
    ],
    [
      'ses',
      { AWS_SES_CONFIGURATION_SET: 'a b' },
      "AWS_SES_CONFIGURATION_SET must be up to 64 letters, digits, '_' and '-', not 'a b'; for example AWS_SES_CONFIGURATION_SET=marketing",
    ],
  ];
  test.each(cases)('%s, %j', (backend, environment, message) => {
    const wrong = () => options(backend, environment);
    expect(wrong).toThrow(ConfigurationError);
    expect(wrong).toThrow(message);
  });
});

describe('which backend the environment asks for', () => {
  test.each([
    [{}, { variable: null, value: 'console' }],
    [{ AMSDAL_EMAIL_BACKEND: '' }, { variable: null, value: 'console' }],
    [{ AMSDAL_EMAIL_BACKEND: 'smtp' }, { variable: 'AMSDAL_EMAIL_BACKEND', value: 'smtp' }],
    [{ AMSDAL_EMAIL_URL: 'smtp://h' }, { variable: 'AMSDAL_EMAIL_URL', value: 'smtp://h' }],
    [
      { AMSDAL_EMAIL_URL: 'smtp://h', AMSDAL_EMAIL_HOST: '' },
      { variable: 'AMSDAL_EMAIL_URL', value: 'smtp://h' },
    ],
  ])('%j: %j', (environment, expected) => {
    expect(chosenBackend(environment)).toEqual(expected);
  });

  test.each(['BACKEND', 'HOST', 'PORT', 'USER', 'PASSWORD', 'USE_TLS', 'USE_SSL', 'TIMEOUT'])(
    'a URL and AMSDAL_EMAIL_%s contradict each other; the URL is not shown',
    (part) => {
      const environment = { AMSDAL_EMAIL_URL: 'smtp://u:hunter2@h', [`AMSDAL_EMAIL_${part}`]: 'x' };
      const both = () => chosenBackend(environment);
      expect(both).toThrow(expect.objectContaining({ code: 'conflicting-options' }));
      expect(both).toThrow(`AMSDAL_EMAIL_URL and AMSDAL_EMAIL_${part} are both set`);
      expect(both).not.toThrow('hunter2');
    },
  );
});
