import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { BACKEND_OPTIONS, type BackendOptions, type UrlSchemes } from '../../src/backend/backend.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { readConfiguration } from '../../src/cli/check/configuration.ts';
import { explainMail } from '../../src/cli/explain/explanation.ts';
import { getConnection } from '../../src/connection/connection.ts';
import { setVariables } from '../../src/connection/known-variables.ts';
import { registerBackend } from '../../src/connection/registry.ts';
import { chosenTarget, mergeOptions, resolveTarget } from '../../src/connection/target.ts';
import { ConfigurationError } from '../../src/model/errors.ts';
import { type Environment, setEnvironment } from '../../src/options/environment.ts';
import type { AnyOptionTable } from '../../src/options/option-table.ts';
import { ProbeBackend, sendAll } from '../probe-backend.ts';

/** What an application or a package declares of its own backend. */
class AcmeBackend extends ProbeBackend {
  static readonly optionTable: AnyOptionTable = {
    ...BACKEND_OPTIONS,
    host: {
      type: 'string',
      variable: { name: 'ACME_HOST', example: 'api.acme.example' },
      urlPart: 'host',
      part: 'address',
      default: 'api.acme.example',
    },
    version: { type: 'string', urlPart: 'path', default: ({ host }) => (host === undefined ? '/v2' : undefined) },
    apiKey: {
      type: 'string',
      secret: true,
      variable: [
        { name: 'ACME_TOKEN', example: 'acme_123' },
        { name: 'ACME_API_KEY', example: 'acme_123' },
      ],
      urlPart: 'username',
      part: 'login',
      replaces: ['session'],
    },
    session: { type: 'string', variable: { name: 'ACME_SESSION', example: 'abc' }, part: 'login' },
    sandbox: { type: 'boolean', variable: { name: 'AMSDAL_EMAIL_ACME_SANDBOX', example: 'true' }, part: 'server' },
    waitMs: {
      type: 'integer',
      min: 1,
      variable: {
        name: 'ACME_WAIT',
        example: '30',
        scale: 1000,
        implies: (ms) => ({ limits: { total: 2 * Number(ms) } }),
      },
      part: 'wait',
    },
    limits: { type: 'object', fields: { each: { type: 'integer', min: 1 }, total: { type: 'integer', min: 1 } } },
  };
  static override readonly urlSchemes: UrlSchemes = { 'acme-test': { sandbox: true } };
  static override readonly delivers: boolean = false;
  static override readonly about: string = 'keeps mails for its own dashboard';
  readonly given: BackendOptions;

  constructor(options: BackendOptions = {}) {
    super(sendAll, options);
    this.given = options;
  }
}

function optionsOf(target: string, environment: Environment = {}, given: object = {}): Record<string, unknown> {
  return mergeOptions(resolveTarget(target, environment), given, environment);
}

/** Registers it for the test that is running. */
function register(): void {
  onTestFinished(registerBackend('acme', AcmeBackend));
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a backend that declares itself', () => {
  test.each<[Environment, object]>([
    [
      { ACME_HOST: 'h', ACME_API_KEY: ' k ' },
      { host: 'h', apiKey: ' k ' },
    ],
    [{ ACME_TOKEN: 'old', ACME_API_KEY: 'new' }, { apiKey: 'new' }],
    [{ AMSDAL_EMAIL_ACME_SANDBOX: 'on' }, { sandbox: true }],
    [{ ACME_WAIT: '1.5' }, { waitMs: 1_500, limits: { total: 3_000 } }],
  ])('has its variables: %j', (environment, expected) => {
    register();
    expect(optionsOf('acme', environment)).toEqual(expected);
    expect(mergeOptions(resolveTarget(AcmeBackend, environment), {}, environment)).toEqual(expected);
  });

  test('a class that extends one with schemes of its own, or has a second name, is registered, and the schemes mean the first', () => {
    register();
    class Relay extends SmtpBackend {}
    class Own extends AcmeBackend {}
    onTestFinished(registerBackend('relay', Relay));
    onTestFinished(registerBackend('own', Own));
    onTestFinished(registerBackend('again', AcmeBackend));
    expect(getConnection('relay')).toBeInstanceOf(Relay);
    expect(resolveTarget('smtps://mail.example.com', {}).backend).toBe(SmtpBackend);
    expect(resolveTarget('acme-test://', {}).backend).toBe(AcmeBackend);
    class Rival extends AcmeBackend {
      static override readonly urlSchemes: UrlSchemes = { 'acme-test': {} };
    }
    expect(() => registerBackend('rival', Rival)).toThrow("the scheme of URLs 'acme-test' is taken");
  });

  test('a wrong value names the variable with its example, and shows no secret', () => {
    register();
    const wrong = (environment: Environment) => () => optionsOf('acme', environment);
    expect(wrong({ ACME_WAIT: 'soon' })).toThrow(
      "ACME_WAIT must be a number of seconds, not 'soon'; for example ACME_WAIT=30",
    );
    expect(wrong({ ACME_API_KEY: 'hunter2\n' })).toThrow(
      /^ACME_API_KEY ends with a line break.*ACME_API_KEY=acme_123$/,
    );
    expect(wrong({ ACME_API_KEY: 'hunter2\n' })).not.toThrow('hunter2');
  });

  test.each<[string, object]>([
    ['acme://key@h/v3', { host: 'h', apiKey: 'key', version: '/v3' }],
    ['acme://h/a%20b?limits.each=3', { host: 'h', version: '/a b', limits: { each: 3 } }],
    ['acme-test://h', { host: 'h', sandbox: true }],
  ])('has its URLs: %s', (url, expected) => {
    register();
    expect(optionsOf(url)).toEqual(expected);
    expect(getConnection(url)).toBeInstanceOf(AcmeBackend);
  });

  test('a part of a URL that it does not declare is refused, and a scheme that is not registered', () => {
    register();
    expect(() => optionsOf('acme://k:hunter2@h')).toThrow("the URL: a 'acme' URL has no password");
    expect(() => optionsOf('acme-test://h?sandbox=false')).toThrow('gives sandbox twice');
    expect(() => getConnection('acme-prod://h')).toThrow("there is no backend 'acme-prod'");
  });

  test('its URL says it all, its variables beside a URL say what nothing else does', () => {
    register();
    const environment = { ACME_HOST: 'other', ACME_API_KEY: 'k', ACME_WAIT: '9', AMSDAL_EMAIL_FROM: 'a@x.org' };
    expect(optionsOf('acme://h', environment)).toEqual({ host: 'h', defaultFrom: 'a@x.org' });
  });

  test('a variable of this package beside AMSDAL_EMAIL_URL is a contradiction, one of others is not', () => {
    register();
    const both = (name: string) => chosenTarget({ AMSDAL_EMAIL_URL: 'acme://h', [name]: '1' });
    expect(both('ACME_WAIT').impliedOptions).toEqual({ host: 'h' });
    expect(() => both('AMSDAL_EMAIL_ACME_SANDBOX')).toThrow(
      'AMSDAL_EMAIL_URL and AMSDAL_EMAIL_ACME_SANDBOX are both set',
    );
  });

  test('its login is for the address it is configured with', () => {
    register();
    const environment = { ACME_HOST: 'h', ACME_API_KEY: 'k' };
    expect(optionsOf('acme', environment, { host: 'h' })).toEqual({ host: 'h', apiKey: 'k' });
    expect(optionsOf('acme', environment, { host: 'other' })).toEqual({ host: 'other' });
    expect(optionsOf('acme', environment, { version: '/v3' })).toMatchObject({ apiKey: 'k' });
    expect(optionsOf('acme://k@h', {}, { host: 'other' })).toEqual({ host: 'other' });
    expect(optionsOf('acme', { ACME_API_KEY: 'k' }, { host: 'other' })).toEqual({ host: 'other', apiKey: 'k' });
  });

  test('what replaces another option does, where it is given nearer', () => {
    register();
    expect(optionsOf('acme', { ACME_SESSION: 's' }, { apiKey: 'k' })).toEqual({ apiKey: 'k' });
    expect(optionsOf('acme', { ACME_SESSION: 's', ACME_API_KEY: 'k' })).toEqual({ session: 's', apiKey: 'k' });
  });

  test('its variables are known as long as it is registered', () => {
    const environment = { ACME_API_KEY: 'k', ACME_OTHER: 'x', AMSDAL_EMAIL_HOST: 'h' };
    expect(setVariables(environment)).toEqual(['AMSDAL_EMAIL_HOST']);
    register();
    expect(setVariables(environment)).toEqual(['ACME_API_KEY', 'AMSDAL_EMAIL_HOST']);
  });

  test('a misspelt one is told', () => {
    register();
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(setEnvironment({ env: { AMSDAL_EMAIL_ACME_SANBOX: '1' } }));
    getConnection('acme');
    expect(warned).toHaveBeenCalledWith(
      'there is no variable AMSDAL_EMAIL_ACME_SANBOX: did you mean AMSDAL_EMAIL_ACME_SANDBOX?',
      expect.anything(),
    );
  });

  test('the command line shows what is left open, and what it does', async () => {
    register();
    onTestFinished(setEnvironment({ env: { ACME_API_KEY: 'hunter2' } }));
    expect(readConfiguration('acme').settings).toEqual([
      { name: 'backend', value: 'acme', origin: '--backend' },
      { name: 'apiKey', value: '***', origin: 'ACME_API_KEY' },
      { name: 'host', value: 'api.acme.example', origin: 'default' },
      { name: 'version', value: '/v2', origin: 'default' },
    ]);
    const mail = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };
    expect(await explainMail('acme', mail)).toMatchObject({
      how: 'the acme backend keeps mails for its own dashboard',
    });
  });

  test.each([
    ['smtps', {}, "the backend name 'smtps' is taken"],
    ['other', { smtp: {} }, "the scheme of URLs 'smtp' is taken"],
    ['other', { smtps: {} }, "the scheme of URLs 'smtps' is taken"],
    ['other', { 'a+b': {} }, "a scheme of URLs is lower-case letters, digits and hyphens, got 'a+b'"],
  ])('as %s with the schemes %j it is not registered', (name, urlSchemes, message) => {
    const backend = class extends AcmeBackend {
      static override readonly urlSchemes: UrlSchemes = urlSchemes;
    };
    expect(() => registerBackend(name, backend)).toThrow(ConfigurationError);
    expect(() => registerBackend(name, backend)).toThrow(message);
  });
});

describe('a backend whose URL has a key and no host', () => {
  class KeyBackend extends AcmeBackend {
    static override readonly optionTable: AnyOptionTable = {
      ...BACKEND_OPTIONS,
      apiKey: { type: 'string', secret: true, urlPart: 'username' },
      region: { type: 'string' },
    };
  }

  test.each([
    ['acme://a%40b@', { apiKey: 'a@b' }],
    ['acme://a@b@?region=a@b', { apiKey: 'a@b', region: 'a@b' }],
    ['acme://key@/', { apiKey: 'key' }],
    ['acme://key@?region=eu', { apiKey: 'key', region: 'eu' }],
    ['acme://?apiKey=key', { apiKey: 'key' }],
  ])('%s', (url, expected) => {
    onTestFinished(registerBackend('acme', KeyBackend));
    expect(optionsOf(url)).toEqual(expected);
  });

  test.each([
    ['acme://hunter2@h', "the URL: a 'acme' URL has no host"],
    ['acme://hunter2:x@', "the URL: a 'acme' URL has no password"],
    ['acme://@:25', 'the host is missing'],
    ['smtp://u:hunter2@', 'the host is missing'],
  ])('%s is refused', (url, message) => {
    onTestFinished(registerBackend('acme', KeyBackend));
    expect(() => optionsOf(url)).toThrow(message);
    expect(() => optionsOf(url)).not.toThrow('hunter2');
  });
});

describe('keys of SES', () => {
  const environment = { AWS_ACCESS_KEY_ID: 'ENV', AWS_SECRET_ACCESS_KEY: 'e', AWS_SESSION_TOKEN: 't' };

  test('of a URL go without the token of those in the environment', () => {
    expect(optionsOf('ses://AKIA:s@eu-west-1', environment)).toEqual({
      region: 'eu-west-1',
      accessKeyId: 'AKIA',
      secretAccessKey: 's',
    });
  });

  test('of the environment go with a URL that has none', () => {
    expect(optionsOf('ses://eu-west-1', environment)).toMatchObject({ accessKeyId: 'ENV', sessionToken: 't' });
  });
});
