import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AppConfig, MailAppConfig, setupContribs } from '../../src/app.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { defaultConnection, getConnection } from '../../src/connection/connection.ts';
import { sendMail } from '../../src/connection/send.ts';
import { setEnvironment } from '../../src/options/environment.ts';

const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-contribs-'));
const app = JSON.stringify(new URL('../../src/app.ts', import.meta.url).href);
const write = (name: string, text: string) => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), text);
};

write('package.json', '{"type": "module"}');
write(
  'plugins/audit.js',
  `import { AppConfig } from ${app};
   export const calls = [];
   export class Audit extends AppConfig {
     name = 'audit';
     onSetup() { calls.push('audit setup'); }
     async onReady() { await null; calls.push('audit ready'); }
   }
   export class Other extends AppConfig {
     name = 'Other Plugin 2';
     async onSetup() { await null; calls.push('other setup'); }
     onReady() { calls.push('other ready'); }
   }
   export class Faulty extends AppConfig { name = 'faulty'; onSetup() { throw new Error('no licence'); } }
   export class Useless {}`,
);
write('plugins/broken.js', 'export class {');
write('node_modules/acme-plugin/package.json', '{"name":"acme-plugin","type":"module","exports":{"./app":"./app.js"}}');
write(
  'node_modules/acme-plugin/app.js',
  "export class Acme { name = 'acme'; onSetup() {} onReady() {} } // of another copy of the library",
);

interface Plugins {
  readonly calls: string[];
}
const plugins = async (): Promise<Plugins> => import(/* @vite-ignore */ join(folder, 'plugins/audit.js'));

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (/^(?:AMSDAL|AWS)_/.test(name)) vi.stubEnv(name, undefined);
});
afterEach(async () => {
  setEnvironment({});
  vi.unstubAllEnvs();
  (await plugins()).calls.length = 0;
});
afterAll(() => rmSync(folder, { recursive: true }));

const setup = (contribs: string, options: object = {}) =>
  setupContribs({ env: { AMSDAL_CONTRIBS: contribs }, envFile: null, cwd: folder, ...options });
const names = (apps: readonly AppConfig[]) => apps.map(({ name }) => name);

describe('AMSDAL_CONTRIBS', () => {
  test.each([
    ['amsdal-mail/app#MailAppConfig', ['amsdal_mail']],
    ['amsdal_mail.app.MailAppConfig', ['amsdal_mail']],
    ['["amsdal_mail.app.MailAppConfig"]', ['amsdal_mail']],
    ['./plugins/audit.js#Other, amsdal_mail.app.MailAppConfig', ['Other Plugin 2', 'amsdal_mail']],
    ['["acme-plugin/app#Acme", "./plugins/audit.js#Other"]', ['acme', 'Other Plugin 2']],
    [`${folder}/plugins/audit.js#Audit`, ['audit']],
    ['amsdal_mail.app.MailAppConfig,amsdal-mail/app#MailAppConfig, ,', ['amsdal_mail']],
    ['./plugins/audit.js#Audit,acme-plugin/app#Acme,./plugins/audit.js#Audit', ['audit', 'acme']],
    ['', []],
  ])('%s', async (contribs, expected) => {
    expect(names(await setup(contribs))).toEqual(expected);
  });

  test('plugins are set up in order, and ready when all are set up', async () => {
    const [audit, other] = await setup('./plugins/audit.js#Audit,./plugins/audit.js#Other');
    expect((await plugins()).calls).toEqual(['audit setup', 'other setup', 'audit ready', 'other ready']);
    expect([audit?.slug, other?.slug]).toEqual(['audit', 'other-plugin-2']);
  });

  test.each([
    ['./plugins/missing.js#Audit', 'load-failed', ["'./plugins/missing.js#Audit'", `looked for from ${folder}`]],
    ['plugins/audit.js#Audit', 'load-failed', ["a file needs './' in front", 'a package must be installed']],
    ['acme-plugin/other#Audit', 'load-failed', ['name a path that its package.json exports']],
    ['./plugins/broken.js#Audit', 'load-failed', ['cannot be loaded']],
    ['./plugins/audit.js#Missing', 'invalid-contrib', ["has no export 'Missing'; its exports: "]],
    ['./plugins/audit.js#Useless', 'invalid-contrib', ['is not a class that extends AppConfig']],
    ['./plugins/audit.js#calls', 'invalid-contrib', ['is not a class that extends AppConfig']],
    ['./plugins/audit.js', 'invalid-contrib', ["names no export: write './file.js#ClassName'"]],
    ['amsdal_storages.app.StoragesAppConfig', 'invalid-contrib', ['is a Python class']],
    ['["amsdal_mail.app.MailAppConfig"', 'invalid-option', ['a JSON list of strings']],
    ['[1]', 'invalid-option', ['a JSON list of strings']],
  ])('%s is refused, and nothing is set up', async (contribs, code, texts) => {
    const failed = setup(contribs.startsWith('[') ? contribs : `./plugins/audit.js#Audit,${contribs}`);
    await expect(failed).rejects.toMatchObject({ code });
    const message = await failed.then(String, String);
    for (const text of ['AMSDAL_CONTRIBS', "for example AMSDAL_CONTRIBS='amsdal-mail/app#MailAppConfig'", ...texts]) {
      expect(message).toContain(text);
    }
    expect((await plugins()).calls).toEqual([]);
  });

  test("a plugin's own failure names the plugin and the step", async () => {
    await expect(setup('./plugins/audit.js#Faulty')).rejects.toMatchObject({
      code: 'load-failed',
      message: "onSetup of the plugin 'faulty' failed: no licence",
    });
  });
});

describe('.env', () => {
  const setupFile = (text: string, options: object = {}) => {
    write('.env', text);
    return setupContribs({ cwd: folder, ...options });
  };

  test("a Python project's file works unchanged", async () => {
    const apps = await setupFile(
      [
        '# AMSDAL',
        "AMSDAL_CONTRIBS='amsdal_mail.app.MailAppConfig'",
        'AMSDAL_EMAIL_BACKEND=smtp',
        'AMSDAL_EMAIL_HOST=mail.example.com   # ours',
        'AMSDAL_EMAIL_PORT=587',
        'AMSDAL_EMAIL_USER=mailer',
        'AMSDAL_EMAIL_PASSWORD=ab#c d',
        'AMSDAL_EMAIL_USE_TLS=True',
        'AMSDAL_EMAIL_TIMEOUT=10',
        '',
      ].join('\n'),
    );
    expect(apps).toEqual([expect.any(MailAppConfig)]);
    expect(defaultConnection().name).toBe('smtp');
    expect(process.env['AMSDAL_EMAIL_HOST']).toBeUndefined();
    expect(() => getConnection('smtp', { useSsl: true })).toThrow('AMSDAL_EMAIL_USE_TLS');
  });

  test.each([
    ['AMSDAL_CONTRIBS=./plugins/audit.js#Audit', ['audit']],
    ['export AMSDAL_CONTRIBS = ./plugins/audit.js#Audit # a comment', ['audit']],
    ['AMSDAL_CONTRIBS=./plugins/audit.js#Audit\t# behind a tab', ['audit']],
    ['AMSDAL_CONTRIBS=["./plugins/audit.js#Audit", "./plugins/audit.js#Other"]', ['audit', 'Other Plugin 2']],
    ['AMSDAL_CONTRIBS="./plugins/audit.js#Audit" # "quoted"', ['audit']],
    ['AMSDAL_CONTRIBS=#./plugins/audit.js#Audit', []],
    ['#AMSDAL_CONTRIBS=./plugins/audit.js#Audit', []],
    ["AMSDAL_CONTRIBS=./plugins/audit.js#Audit\r\nAMSDAL_EMAIL_BACKEND='dummy'\r\n", ['audit']],
  ])('%s', async (text, expected) => {
    expect(names(await setupFile(text))).toEqual(expected);
  });

  test('the environment of the process wins, now and later, and stays as it is', async () => {
    vi.stubEnv('AMSDAL_EMAIL_BACKEND', 'dummy');
    await setupFile('AMSDAL_EMAIL_BACKEND=smtp\nAMSDAL_EMAIL_FROM=file@example.com\n');
    expect(getConnection()).toBeInstanceOf(DummyBackend);
    vi.stubEnv('AMSDAL_EMAIL_BACKEND', undefined);
    expect(getConnection().name).toBe('smtp');
    vi.stubEnv('AMSDAL_EMAIL_BACKEND', '');
    expect(getConnection().name).toBe('console');
    expect(process.env['AMSDAL_EMAIL_FROM']).toBeUndefined();
  });

  test('another file, no file, a file that is missing', async () => {
    write('staging.env', 'AMSDAL_EMAIL_BACKEND=dummy');
    await setupFile('AMSDAL_EMAIL_BACKEND=smtp', { envFile: 'staging.env' });
    expect(getConnection().name).toBe('dummy');
    await setupFile('AMSDAL_EMAIL_BACKEND=smtp', { envFile: null });
    expect(getConnection().name).toBe('console');
    await expect(setupFile('', { envFile: 'missing.env' })).rejects.toMatchObject({
      code: 'load-failed',
      message: expect.stringContaining(`${join(folder, 'missing.env')} cannot be read: ENOENT`),
    });
    rmSync(join(folder, '.env'));
    expect(await setupContribs({ cwd: folder })).toEqual([]);
  });

  test('a start that fails leaves no variables behind', async () => {
    await expect(
      setupFile('AMSDAL_EMAIL_BACKEND=smtp\nAMSDAL_EMAIL_PORT=none\nAMSDAL_CONTRIBS=amsdal_mail.app.MailAppConfig'),
    ).rejects.toMatchObject({ message: expect.stringContaining('AMSDAL_EMAIL_PORT must be') });
    expect(getConnection().name).toBe('console');
  });
});

describe('two plugins that listen to the same event', () => {
  const index = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href);
  const plugin = (name: string, options: string, body = '') => `
    import { AppConfig } from ${app};
    import { BeforeSend } from ${index};
    export class Plugin extends AppConfig {
      name = '${name}';
      onSetup() {
        stops.push(BeforeSend.subscribe((context, next) => {
          ${body}
          return next({ ...context, message: context.message.with({ subject: context.message.subject + ' ${name}' }) });
        }, { name: '${name}', ${options} }));
      }
    }
    export const stops = [];`;
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  let serial = 0;
  const start = async (...sources: readonly string[]) => {
    const paths: string[] = [];
    for (const source of sources) {
      const path = `./plugins/listener${serial++}.js`;
      write(path, source);
      paths.push(path);
    }
    await setup(paths.map((path) => `${path}#Plugin`).join(','));
    for (const path of paths) {
      const module: { readonly stops: (() => void)[] } = await import(/* @vite-ignore */ join(folder, path));
      stops.push(...module.stops);
    }
    const connection = new DummyBackend({ store: true });
    const mail = {
      subject: 'Hello',
      message: 'Text',
      fromEmail: 'shop@example.com',
      recipientList: ['ann@example.org'],
    };
    const status = await sendMail({ ...mail, connection, failSilently: true });
    return { status, subject: connection.messages[0]?.subject };
  };

  test.each([
    ['in the order they are named', '', '', 'Hello first second'],
    ['before', '', "before: ['first']", 'Hello second first'],
    ['after', "after: ['second']", '', 'Hello second first'],
    ['before wins over priority', 'priority: 10', "before: ['first']", 'Hello second first'],
  ])('%s', async (_, first, second, expected) => {
    const { subject } = await start(plugin('first', first), plugin('second', second));
    expect(subject).toBe(expected);
  });

  test.each([
    ['propagate', undefined, 'failed'],
    ['log', 'Hello second', 'sent'],
    ['silent', 'Hello second', 'sent'],
  ])('one fails under %s', async (onError, expected, status) => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const failing = plugin('first', `onError: '${onError}'`, "throw new Error('broken');");
    const result = await start(failing, plugin('second', ''));
    expect(result.subject).toBe(expected);
    expect(result.status.recipients.get('ann@example.org')).toMatchObject({
      status,
      code: status === 'sent' ? null : 'listener',
    });
    expect(log).toHaveBeenCalledTimes(onError === 'log' ? 1 : 0);
    log.mockRestore();
  });
});
