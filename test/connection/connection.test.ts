import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type BackendOptions, EmailBackend } from '../../src/backend/backend.ts';
import { recipeOf } from '../../src/backend/blocking/delivery.ts';
import { type DeliveryResult, type Job, sameForAll } from '../../src/backend/job.ts';
import { ConsoleBackend } from '../../src/backends/console.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { FileBackend } from '../../src/backends/file.ts';
import { SesBackend } from '../../src/backends/ses.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { defaultConnection, getConnection, setDefaultConnection } from '../../src/connection/connection.ts';
import { loadBackend } from '../../src/connection/load-backend.ts';
import { backendNames, registerBackend } from '../../src/connection/registry.ts';
import { ConfigurationError } from '../../src/model/errors.ts';

/** Takes any options and tells which it was given. */
class ProbeBackend extends EmailBackend {
  readonly name = 'probe';
  protected readonly features = new Set<never>();
  readonly given: BackendOptions;

  constructor(options: BackendOptions = {}) {
    super(options);
    this.given = options;
  }

  protected override deliverOne({ index, message }: Job): DeliveryResult {
    return { index, messageId: null, recipients: sameForAll(message, 'sent') };
  }
}

/** All that a connection was made with. */
function optionsOf(connection: EmailBackend): object | undefined {
  return recipeOf(connection)?.options;
}

const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-connection-'));
const before = process.cwd();

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (/^(?:AMSDAL|AWS)_/.test(name)) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  process.chdir(before);
});
afterAll(() => rmSync(folder, { recursive: true }));

function failure(make: () => unknown): ConfigurationError {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('getConnection', () => {
  test('by name', () => {
    expect(getConnection('console')).toBeInstanceOf(ConsoleBackend);
    expect(getConnection('dummy', { store: true })).toBeInstanceOf(DummyBackend);
    expect(getConnection('file', { path: folder })).toBeInstanceOf(FileBackend);
    expect(getConnection('smtp', { host: 'h' })).toBeInstanceOf(SmtpBackend);
    expect(getConnection('ses', { region: 'eu-west-1' })).toBeInstanceOf(SesBackend);
  });

  test('is private: each call makes another', () => {
    expect(getConnection('dummy')).not.toBe(getConnection('dummy'));
  });

  test('without a name: console, or what the environment says', () => {
    expect(getConnection()).toBeInstanceOf(ConsoleBackend);
    vi.stubEnv('AMSDAL_EMAIL_BACKEND', 'dummy');
    expect(getConnection()).toBeInstanceOf(DummyBackend);
    vi.stubEnv('AMSDAL_EMAIL_BACKEND', '');
    vi.stubEnv('AMSDAL_EMAIL_URL', 'smtps://u:p@h');
    expect(getConnection()).toBeInstanceOf(SmtpBackend);
  });

  test('by class, options checked by its types', () => {
    expect(getConnection(ProbeBackend, { defaultFrom: 'a@x.org' }).given).toEqual({ defaultFrom: 'a@x.org' });
    expect(getConnection(DummyBackend, { store: true })).toBeInstanceOf(DummyBackend);
  });

  test('by URL', () => {
    expect(getConnection(`file://${folder}`)).toBeInstanceOf(FileBackend);
    expect(getConnection('smtp://u:p@h:2525?useTls=1')).toBeInstanceOf(SmtpBackend);
  });

  test('by registered name, until it is taken away', () => {
    const unregister = registerBackend('probe', ProbeBackend);
    expect(getConnection('probe')).toBeInstanceOf(ProbeBackend);
    expect(getConnection('probe://?defaultFrom=a@x.org')).toMatchObject({ given: { defaultFrom: 'a@x.org' } });
    expect(backendNames()).toContain('probe');
    expect(() => registerBackend('probe', DummyBackend)).toThrow("the backend name 'probe' is taken");
    unregister();
    expect(failure(() => getConnection('probe')).code).toBe('unknown-backend');
  });

  test.each(['smtp', 'Probe', 'a b', './x', 'x#y', ''])('the name %j cannot be registered', (name) => {
    expect(failure(() => registerBackend(name, ProbeBackend)).code).toBe('invalid-option');
  });
});

describe('the environment', () => {
  test('fills in what the code does not say, and the code wins', () => {
    vi.stubEnv('AMSDAL_EMAIL_FROM', 'env@x.org');
    expect(getConnection(ProbeBackend).given).toEqual({ defaultFrom: 'env@x.org' });
    expect(getConnection(ProbeBackend, { defaultFrom: 'code@x.org' }).given).toEqual({ defaultFrom: 'code@x.org' });
    // @ts-expect-error: for who writes JavaScript
    expect(getConnection(ProbeBackend, { defaultFrom: undefined }).given).toEqual({ defaultFrom: 'env@x.org' });
  });

  test('counts for a built-in class as for its name', () => {
    vi.stubEnv('AMSDAL_EMAIL_PORT', 'smtp');
    expect(failure(() => getConnection('smtp')).message).toContain('AMSDAL_EMAIL_PORT');
    expect(failure(() => getConnection(SmtpBackend)).message).toContain('AMSDAL_EMAIL_PORT');
  });

  test('does not count for a class of ours that only has the name of a built-in one', () => {
    const lookalike = { smtp: class extends ProbeBackend {} }.smtp;
    expect(lookalike.name).toBe('smtp');
    vi.stubEnv('AMSDAL_EMAIL_HOST', 'mail.x.org');
    expect(getConnection(lookalike).given).toEqual({});
  });

  describe('and credentials', () => {
    const server = { AMSDAL_EMAIL_HOST: 'mail.x.org', AMSDAL_EMAIL_USER: 'u', AMSDAL_EMAIL_PASSWORD: 'p' };
    beforeEach(() => {
      for (const [name, value] of Object.entries(server)) vi.stubEnv(name, value);
    });

    test('reach the server they were configured for', () => {
      const expected = { host: 'mail.x.org', username: 'u', password: 'p' };
      expect(optionsOf(getConnection('smtp'))).toEqual(expected);
      expect(optionsOf(getConnection(SmtpBackend))).toEqual(expected);
      expect(optionsOf(getConnection('smtp', { port: 2525 }))).toEqual({ ...expected, port: 2525 });
      expect(optionsOf(getConnection('smtp', { host: 'mail.x.org' }))).toEqual(expected);
    });

    test.each<[string, () => EmailBackend, object]>([
      ['in code', () => getConnection('smtp', { host: 'other.org' }), { host: 'other.org' }],
      [
        'as a unix socket',
        () => getConnection('smtp', { path: '/run/smtp' }),
        { host: 'mail.x.org', path: '/run/smtp' },
      ],
      ['by URL', () => getConnection('smtp://other.org'), { host: 'other.org' }],
      [
        'by URL with a user',
        () => getConnection('smtp://v:q@other.org'),
        { host: 'other.org', username: 'v', password: 'q' },
      ],
      ['as a unix socket by URL', () => getConnection('smtp://?path=/run/smtp'), { path: '/run/smtp' }],
    ])('never another one, %s', (_, make, expected) => {
      expect(optionsOf(make())).toEqual(expected);
    });
  });

  describe('and a login by OAuth 2.0', () => {
    const oauth2 = { clientId: 'app', refreshToken: 'r', tokenUrl: 'https://login.x.org/token' };
    const query = 'oauth2.clientId=app&oauth2.refreshToken=r&oauth2.tokenUrl=https://login.x.org/token';

    test('comes from a URL, and goes to no other server', () => {
      vi.stubEnv('AMSDAL_EMAIL_URL', `smtp://u@mail.x.org?${query}`);
      expect(optionsOf(getConnection())).toEqual({ host: 'mail.x.org', username: 'u', oauth2 });
      expect(optionsOf(getConnection('smtp', { host: 'other.org' }))).toEqual({ host: 'other.org' });
    });

    test('with an access token in a URL goes to no other server either', () => {
      vi.stubEnv('AMSDAL_EMAIL_URL', 'smtp://u@mail.x.org?accessToken=t');
      expect(optionsOf(getConnection('smtp', { host: 'other.org' }))).toEqual({ host: 'other.org' });
    });

    test('takes the place of the password of a variable, and is replaced by one in code', () => {
      vi.stubEnv('AMSDAL_EMAIL_USER', 'u');
      vi.stubEnv('AMSDAL_EMAIL_PASSWORD', 'p');
      expect(optionsOf(getConnection('smtp', { oauth2 }))).toEqual({ username: 'u', oauth2 });
      vi.unstubAllEnvs();
      vi.stubEnv('AMSDAL_EMAIL_URL', `smtp://u@mail.x.org?${query}`);
      const expected = { host: 'mail.x.org', username: 'u', password: 'p' };
      expect(optionsOf(getConnection('smtp', { password: 'p' }))).toEqual(expected);
    });

    test('contradicts a password of the same place', () => {
      vi.stubEnv('AMSDAL_EMAIL_URL', `smtp://u:s3cr3t@mail.x.org?${query}`);
      const error = failure(() => getConnection());
      expect(error).toMatchObject({ code: 'conflicting-options', option: 'oauth2', variable: 'AMSDAL_EMAIL_URL' });
      expect(error.message).not.toContain('s3cr3t');
    });
  });

  test('an unknown backend names the variable and the known ones', () => {
    vi.stubEnv('AMSDAL_EMAIL_BACKEND', 'smpt');
    expect(failure(() => getConnection())).toMatchObject({
      code: 'unknown-backend',
      message: expect.stringMatching(
        /^AMSDAL_EMAIL_BACKEND: there is no backend 'smpt'; did you mean 'smtp'\? known: azure, brevo, cloudflare, console, dummy, .*, ses, smtp, .*, or give '.\/file.js#ClassName'; for example AMSDAL_EMAIL_BACKEND=smtp$/,
      ),
    });
  });

  test('a URL without its slashes is told how one begins', () => {
    vi.stubEnv('AMSDAL_EMAIL_URL', 'file:./mails');
    expect(failure(() => getConnection()).message).toContain("'file://'");
    expect(getConnection('file://./mails').name).toBe('file');
  });

  test.each(['smtp:user:hunter2@h', 'smtps:/user:hunter2@h', 'smtp:user:hun#ter2@h'])(
    'a URL gone wrong is not shown: %s',
    (url) => {
      vi.stubEnv('AMSDAL_EMAIL_URL', url);
      const { message } = failure(() => getConnection());
      expect(message).toContain('AMSDAL_EMAIL_URL');
      expect(message).not.toMatch(/hun|ter2/);
    },
  );

  test("getConnection('smtp') means the server of AMSDAL_EMAIL_URL; other backends are left alone", () => {
    vi.stubEnv('AMSDAL_EMAIL_URL', 'smtp://h?timeoutMs=none');
    expect(failure(() => getConnection('smtp')).message).toContain('timeoutMs');
    expect(failure(() => getConnection(SmtpBackend)).message).toContain('timeoutMs');
    expect(getConnection('dummy')).toBeInstanceOf(DummyBackend);
    vi.stubEnv('AMSDAL_EMAIL_HOST', 'other');
    expect(failure(() => getConnection('smtp')).code).toBe('conflicting-options');
    expect(getConnection('dummy')).toBeInstanceOf(DummyBackend);
  });
});

describe('custom backends by specifier', () => {
  const source = `
    export class Custom {
      constructor(options) { this.given = options; this.name = 'custom'; }
      sendMessages() { return 'sent'; }
    }
    export class Useless {}
    export const number = 7;
  `;
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'backends.js'), source);
  writeFileSync(join(folder, 'waiting.js'), `await null;\n${source}`);
  writeFileSync(join(folder, 'broken.js'), 'export class {');
  writeFileSync(join(folder, 'throwing.js'), "throw new Error('no licence');");
  writeFileSync(join(folder, 'old.cjs'), 'exports.Custom = class { sendMessages() {} };');
  mkdirSync(join(folder, 'node_modules/acme-mail'), { recursive: true });
  writeFileSync(
    join(folder, 'node_modules/acme-mail/package.json'),
    '{"name":"acme-mail","type":"module","exports":"./index.js"}',
  );
  writeFileSync(join(folder, 'node_modules/acme-mail/index.js'), source);
  mkdirSync(join(folder, 'node_modules/@acme/mail'), { recursive: true });
  writeFileSync(
    join(folder, 'node_modules/@acme/mail/package.json'),
    '{"name":"@acme/mail","type":"module","exports":{"./backends":"./index.js"}}',
  );
  writeFileSync(join(folder, 'node_modules/@acme/mail/index.js'), source);
  beforeEach(() => process.chdir(folder));

  test.each([
    './backends.js#Custom',
    `${folder}/backends.js#Custom`,
    `${pathToFileURL(folder).href}/backends.js#Custom`,
    'acme-mail#Custom',
    '@acme/mail/backends#Custom',
    './old.cjs#Custom',
  ])('%s', (specifier) => {
    const connection = getConnection(specifier, { apiKey: 'k' });
    expect(connection.sendMessages).toBeTypeOf('function');
  });

  test('the options of the code and the default sender reach it', () => {
    vi.stubEnv('AMSDAL_EMAIL_FROM', 'env@x.org');
    expect(getConnection('./backends.js#Custom', { apiKey: 'k' })).toMatchObject({
      given: { apiKey: 'k', defaultFrom: 'env@x.org' },
    });
  });

  test('AMSDAL_EMAIL_BACKEND and a registered name take specifiers', () => {
    vi.stubEnv('AMSDAL_EMAIL_BACKEND', './backends.js#Custom');
    expect(getConnection()).toMatchObject({ name: 'custom' });
    const unregister = registerBackend('lazy', './missing.js#Custom');
    expect(failure(() => getConnection('lazy')).code).toBe('load-failed');
    unregister();
  });

  test.each([
    [
      'backends.js#Custom',
      'load-failed',
      "a file needs './' in front ('./backends.js#Custom'), a package must be installed",
    ],
    ['./missing.js#Custom', 'load-failed', "'./missing.js#Custom' cannot be loaded, looked for from"],
    ['no-such-package#Custom', 'load-failed', 'a package must be installed'],
    ['@acme/mail#Custom', 'load-failed', 'name a path that its package.json exports'],
    ['./backends.js#Missing', 'invalid-backend', "has no export 'Missing'; its exports: Custom, Useless, number"],
    ['./backends.js#Useless', 'invalid-backend', 'is not a class with sendMessages: extend EmailBackend'],
    ['./backends.js#number', 'invalid-backend', 'is not a class with sendMessages: extend EmailBackend'],
    ['./backends.js#', 'invalid-backend', "names no export: write './file.js#ClassName'"],
    ['#Custom', 'invalid-backend', "names no export: write './file.js#ClassName'"],
    ['./broken.js#Custom', 'load-failed', "'./broken.js#Custom' cannot be loaded"],
    ['./throwing.js#Custom', 'load-failed', 'no licence'],
    ['./waiting.js#Custom', 'load-failed', "call `await loadBackend('./waiting.js#Custom')` first"],
    ['./backends.js', 'unknown-backend', "give './file.js#ClassName'"],
    ['constructor', 'unknown-backend', "there is no backend 'constructor'"],
  ])('%s is refused: %s', (specifier, code, message) => {
    const error = failure(() => getConnection(specifier));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  test('top-level await works after loadBackend', async () => {
    await loadBackend('./waiting.js#Custom');
    expect(getConnection('./waiting.js#Custom')).toMatchObject({ name: 'custom' });
    await expect(loadBackend('./missing.js#Custom')).rejects.toBeInstanceOf(ConfigurationError);
  });

  test('a class without sendMessages is refused, as are instances without it', () => {
    // @ts-expect-error: for who writes JavaScript
    expect(failure(() => getConnection(class Useless {}))).toMatchObject({
      code: 'invalid-backend',
      message: 'Useless is not a backend class: extend EmailBackend',
    });
    const odd = class extends ProbeBackend {};
    Object.defineProperty(odd.prototype, 'sendMessages', { value: () => {} });
    expect(getConnection(odd)).toBeInstanceOf(odd);
  });
});

describe('options are checked at once', () => {
  const cases: [string, object, string][] = [
    ['smtp', { hots: 'x' }, "SmtpBackend: unknown option 'hots'"],
    ['smtp', { port: 0 }, 'SmtpBackend: port must be an integer from 1 to 65535, got 0'],
    ['smtp', { useTls: true, useSsl: true }, 'useTls'],
    ['smtp', { password: 7 }, 'SmtpBackend: password must be a string, got a secret number'],
    ['console', { raw: 'yes' }, "ConsoleBackend: raw must be true or false, got 'yes'"],
    ['console', { stream: {} }, 'ConsoleBackend: stream must be a stream to write to, got an object'],
    ['dummy', { stor: true }, "DummyBackend: unknown option 'stor'"],
    ['file', {}, 'the file backend needs a folder: give the option path, or set AMSDAL_EMAIL_FILE_PATH'],
    ['dummy', { defaultFrom: '' }, "DummyBackend: defaultFrom must be an address such as 'Shop <noreply@example.com>'"],
    ['dummy', { defaultFrom: 'nobody' }, 'DummyBackend: defaultFrom must be an address'],
    ['dummy', { onUnsupported: 'warn' }, "DummyBackend: onUnsupported must be one of 'ignore', 'error', got 'warn'"],
  ];
  test.each(cases)('%s with %o', (name, options, message) => {
    expect(failure(() => getConnection(name, options)).message).toContain(message);
  });
});

describe('the default connection', () => {
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
  beforeEach(() => vi.stubEnv('AMSDAL_EMAIL_BACKEND', 'dummy'));
  afterEach(nextTurn);

  test('is one for the process, and another when the settings are others', async () => {
    const first = defaultConnection();
    expect(defaultConnection()).toBe(first);
    await nextTurn();
    expect(defaultConnection()).toBe(first);
    vi.stubEnv('AMSDAL_EMAIL_FROM', 'a@x.org');
    await nextTurn();
    expect(defaultConnection()).not.toBe(first);
  });

  test('can be set and restored, also nested', () => {
    const [one, two] = [new DummyBackend(), new DummyBackend()];
    const restoreOuter = setDefaultConnection(one);
    expect(defaultConnection()).toBe(one);
    const restoreInner = setDefaultConnection(two);
    expect(defaultConnection()).toBe(two);
    restoreInner();
    expect(defaultConnection()).toBe(one);
    restoreOuter();
    expect(defaultConnection()).not.toBe(one);
  });

  test('with wrong settings it is an error each time, not the old connection', async () => {
    defaultConnection();
    await nextTurn();
    vi.stubEnv('AMSDAL_EMAIL_BACKEND', 'smpt');
    expect(failure(defaultConnection).code).toBe('unknown-backend');
    expect(failure(defaultConnection).code).toBe('unknown-backend');
  });
});
