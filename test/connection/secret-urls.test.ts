import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { connectionFor, getConnection } from '../../src/connection/connection.ts';
import { loadBackend } from '../../src/connection/load-backend.ts';
import { type ConnectionDefinition, defineConnections } from '../../src/connection/named.ts';
import { registerBackend } from '../../src/connection/registry.ts';
import { chosenTarget, mergeOptions } from '../../src/connection/target.ts';
import { ConfigurationError } from '../../src/model/errors.ts';
import { readEnvFile } from '../../src/options/env-file.ts';
import { setEnvironment } from '../../src/options/environment.ts';
import { runCli } from '../cli/run-cli.ts';
import { fc } from '../properties.ts';

const SECRET = 'S3cr3tWord';

const undos: (() => void)[] = [];
afterEach(() => {
  for (const undo of undos.splice(0)) undo();
});

const SHAPES = [
  `"smtp://user:${SECRET}@h"`,
  `'smtp://user:${SECRET}@h'`,
  ` smtp://user:${SECRET}@h`,
  `smtp://user:${SECRET}@h\t`,
  `\n smtp://user:${SECRET}@h`,
  `smtp://user:${SECRET}\t@h`,
  `smtp://user:${SECRET}\n@h`,
  `smtp+tls://user:${SECRET}@h`,
  `smtp.tls://user:${SECRET}@h`,
  `smpt://user:${SECRET}@h`,
  `//user:${SECRET}@h`,
  `://user:${SECRET}@h`,
  `/user:${SECRET}@h`,
  `user:${SECRET}@h`,
  `:${SECRET}@h`,
  `${SECRET}@h`,
  `smtp:user:${SECRET}@h`,
  `smtp:/user:${SECRET}@h`,
  `smtp:\\\\user:${SECRET}@h`,
  `smtp;//user:${SECRET}@h`,
  `smtp//user:${SECRET}@h`,
  `smtp://smtp://user:${SECRET}@h`,
  `smtp:// user:${SECRET}@h`,
  `smtp://user:%zz${SECRET}@h`,
  `smtp://user:${SECRET}%@h`,
  `smtp://user:a/${SECRET}@h`,
  `smtp://user:12#${SECRET}@h`,
  `user:12#${SECRET}@h`,
  `u:/12#${SECRET}@h`,
  `./user:12#${SECRET}@h`,
  `smtp://user:12?useTls=${SECRET}@h`,
  `smtp://user:${SECRET}@h:port`,
  `smtp://user:${SECRET}`,
  `smtp%3A%2F%2Fuser%3A${SECRET}%40h`,
  `@user:${SECRET}@h`,
  `@/user:${SECRET}@h`,
  `node:fs#${SECRET}@h`,
  `file://user:${SECRET}@h#x`,
  `http://user:${SECRET}@h:port`,
  `http://user:${SECRET}@h/path`,
  `https://user:%zz${SECRET}@h`,
  `socks4://user:${SECRET}@h`,
  `socks5://${SECRET}@h`,
];

/** Everything that a log can show of an error. */
function shown(error: unknown): string {
  const texts = [inspect(error, { depth: 9, showHidden: true })];
  for (let at = error; at instanceof Error; at = at.cause) texts.push(String(at), at.stack ?? '', JSON.stringify(at));
  return texts.join('\n');
}

async function failureOf(act: () => unknown): Promise<unknown> {
  try {
    await act();
    return null;
  } catch (error) {
    return error;
  }
}

function withEnvironment(env: Record<string, string>, act: () => unknown): unknown {
  const restore = setEnvironment({ env });
  try {
    return act();
  } finally {
    restore();
  }
}

function define(definition: ConnectionDefinition): unknown {
  undos.push(defineConnections({ wrong: definition }));
  return getConnection('@wrong');
}

/** Every way in which a text that is meant as a connection comes in. */
const WAYS: Readonly<Record<string, (text: string) => unknown>> = {
  getConnection: (text) => getConnection(text),
  'sendMail({ connection })': (text) => connectionFor(text as '@x'),
  loadBackend: (text) => loadBackend(text),
  registerBackend: (text) => registerBackend(text, class {} as never),
  'a name in defineConnections': (text) => defineConnections({ [text]: 'smtp' }),
  defineConnections: (text) => define(text),
  'defineConnections with options': (text) => define({ backend: text, options: { host: 'h' } }),
  AMSDAL_EMAIL_BACKEND: (text) => withEnvironment({ AMSDAL_EMAIL_BACKEND: text }, () => getConnection()),
  AMSDAL_EMAIL_URL: (text) => withEnvironment({ AMSDAL_EMAIL_URL: text }, () => getConnection()),
  AMSDAL_EMAIL_X_URL: (text) => withEnvironment({ AMSDAL_EMAIL_X_URL: text }, () => getConnection('@x')),
  AMSDAL_EMAIL_HOST: (text) => withEnvironment({ AMSDAL_EMAIL_HOST: text }, () => getConnection('smtp')),
  AMSDAL_EMAIL_PORT: (text) => withEnvironment({ AMSDAL_EMAIL_PORT: text }, () => getConnection('smtp')),
  'the option proxy': (text) => getConnection('smtp', { proxy: text }),
  AMSDAL_EMAIL_PROXY: (text) => withEnvironment({ AMSDAL_EMAIL_PROXY: text }, () => getConnection('smtp')),
  'proxy in a URL': (text) => getConnection(`smtp://h?proxy=${text}`),
  'proxy in a URL, encoded': (text) => getConnection(`smtp://h?useTls=1&proxy=${encodeURIComponent(text)}`),
  'an option': (text) => getConnection('smtp', { port: text } as object),
  'the name of an option': (text) => getConnection('smtp', { [text]: 1 } as object),
};

describe.each(Object.entries(WAYS))('no password is in an error of %s', (_, way) => {
  test.each(SHAPES)('%j', async (text) => {
    const error = await failureOf(() => way(text));
    if (error !== null) expect(error).toBeInstanceOf(ConfigurationError);
    expect(shown(error)).not.toContain(SECRET);
  });

  test('whatever stands around it', async () => {
    const piece = fc.constantFrom(
      ...['smtp', 'smtps', '+tls', '://', '//', ':', '"', "'", ' ', '\n', '\t', '%', '%zz', '#'],
    );
    const more = fc.constantFrom(...['@', 'h', ':25', '/', '?', 'useTls=', '"', ' ', '\n', '#', '#x', '%']);
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), fc.array(more, { maxLength: 5 }), async (before, after) => {
        const text = `${before.join('')}user:${SECRET}${after.join('')}@h`;
        expect(shown(await failureOf(() => way(text)))).not.toContain(SECRET);
      }),
      { numRuns: 300 },
    );
  });
});

describe('what is no secret is told', () => {
  test.each([
    ['stmp', "there is no backend 'stmp'"],
    ['./nope.js#Mine', "backend './nope.js#Mine' cannot be loaded"],
    ['@acme/mail#Mine', "backend '@acme/mail#Mine' cannot be loaded"],
    ['file:///nope/b.js#Mine', "backend 'file:///nope/b.js#Mine' cannot be loaded"],
    [' smtp://u:p@h', 'the URL: remove the white space around it'],
    ['smtp://u:p@h\n', 'the URL: remove the white space around it'],
    ['"smtp://u:p@h"', 'the URL: remove the quotation marks around it'],
    ['smtp://u:p\t@h', 'the URL: it has a tab in it'],
    ['smtp://u:p\n@h', 'the URL: it has a line break in it'],
    ['smtp+tls://u:p@h', "a connection URL begins with 'smtp://'"],
  ])('%j', (text, message) => {
    expect(() => getConnection(text)).toThrow(message);
  });

  test('a file in a folder with an @ in its name is loaded, and its faults are told', () => {
    const folder = mkdtempSync(join(tmpdir(), 'amsdal-at-@1.0-'));
    undos.push(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'b.cjs'), 'exports.Other = 1; exports.Thrower = class { constructor() { throw 1 } };');
    expect(() => getConnection(`${folder}/b.cjs#Mine`)).toThrow("it has no export 'Mine'; its exports: Other, Thrower");
  });
});

describe('white space around a variable', () => {
  test.each([
    [{ AMSDAL_EMAIL_URL: ' smtp://mail.x.org:26\r\n' }, { host: 'mail.x.org', port: 26 }],
    [
      { AMSDAL_EMAIL_BACKEND: 'smtp\n', AMSDAL_EMAIL_HOST: 'mail.x.org\n', AMSDAL_EMAIL_PORT: ' 26 ' },
      { host: 'mail.x.org', port: 26 },
    ],
    [{ AMSDAL_EMAIL_BACKEND: ' \n' }, {}],
  ])('is left out: %j', (env, expected) => {
    expect(mergeOptions(chosenTarget(env), {}, env)).toEqual(expected);
  });

  test.each([
    ['AMSDAL_EMAIL_PASSWORD', `${SECRET}\n`, 'AMSDAL_EMAIL_PASSWORD ends with a line break: remove it'],
    ['AMSDAL_EMAIL_PASSWORD', `a\t${SECRET}`, 'AMSDAL_EMAIL_PASSWORD has a tab in it: remove it'],
    ['AMSDAL_EMAIL_USER', 'a\0b', 'AMSDAL_EMAIL_USER has a NUL in it: remove it'],
  ])('%s=%j', async (name, value, message) => {
    const env = { AMSDAL_EMAIL_USER: 'u', AMSDAL_EMAIL_PASSWORD: 'p', [name]: value };
    const error = await failureOf(() => withEnvironment(env, () => getConnection('smtp')));
    expect(error).toMatchObject({ code: 'invalid-option', message: expect.stringContaining(message) });
    expect(shown(error)).not.toContain(SECRET);
  });

  test.each(['\t', '\n', '\r'])('a %j in the midst of a URL is refused by name', async (character) => {
    const env = { AMSDAL_EMAIL_URL: `smtp://u:${SECRET}${character}x@h` };
    const error = await failureOf(() => withEnvironment(env, () => getConnection()));
    expect(String(error)).toMatch(/AMSDAL_EMAIL_URL has a (?:tab|line break) in it/);
    expect(shown(error)).not.toContain(SECRET);
  });
});

describe('the command line', () => {
  const url = `smtp+tls://user:${SECRET}@h`;
  test.each([
    [[`smtp://user:${SECRET}@h`], {}],
    [['check', `smtp://user:${SECRET}@h`], {}],
    [['check', `--smtp://user:${SECRET}@h`], {}],
    [['check', '--ulr', url], {}],
    [['check', '--url', url], {}],
    [['check', '--url', `"smtp://user:${SECRET}@h"`], {}],
    [['check', '--backend', url], {}],
    [['check'], { AMSDAL_EMAIL_BACKEND: 'smtp', AMSDAL_EMAIL_PROXY: `http://user:${SECRET}@h:port` }],
    [['check', '--url', `smtp://h?proxy=socks4://user:${SECRET}@h`], {}],
    [['check', '--json'], { AMSDAL_EMAIL_URL: url }],
    [['check'], { AMSDAL_EMAIL_BACKEND: url }],
    [['mailbox', '--release-to', 'a@x.org', '--release-via', url], {}],
  ])('%j with %j', async (args, env) => {
    const { code, stdout, stderr } = await runCli(args, { env });
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toContain(SECRET);
    expect(stderr).toMatch(/^amsdal-mail: .+\n$/);
  });

  test('a file of variables', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'amsdal-env-'));
    undos.push(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, '.env'), `AMSDAL_EMAIL_URL='"smtp://user:${SECRET}@h"'\n`);
    const { code, stdout, stderr } = await runCli(['check'], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('AMSDAL_EMAIL_URL: the URL: remove the quotation marks around it');
    expect(stderr).not.toContain(SECRET);
    undos.push(setEnvironment({ env: {}, file: readEnvFile(undefined, folder) }));
    expect(shown(await failureOf(() => getConnection()))).not.toContain(SECRET);
  });
});
