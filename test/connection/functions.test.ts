import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { defaultConnection, getConnection } from '../../src/connection/connection.ts';
import { defineConnections } from '../../src/connection/named.ts';
import { ConfigurationError } from '../../src/model/errors.ts';
import type { SendStatus } from '../../src/model/status.ts';
import { RouteBackend } from '../../src/wrappers/route.ts';

const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-functions-'));
const before = process.cwd();
const cleanUps: (() => void)[] = [];

writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
writeFileSync(
  join(folder, 'routes.js'),
  `export const choose = ({ tags }) => (tags.includes('news') ? '@bulk' : '@main');
   export const wrong = () => '@bulkk';
   export const secret = () => 'smtp://ann:verysecret@host';
   export const nothing = () => {};
   export const late = async () => '@bulk';
   export const count = 7;`,
);
writeFileSync(join(folder, 'old.cjs'), "exports.choose = () => '@bulk';");
writeFileSync(join(folder, 'waiting.js'), "await null; export const choose = () => '@bulk';");

beforeEach(() => {
  process.chdir(folder);
  cleanUps.push(defineConnections({ main: new DummyBackend(), bulk: new DummyBackend() }));
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const clean of cleanUps.splice(0)) clean();
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

const MAIL = { subject: 'Hi', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' };
const NEWS = { ...MAIL, tags: ['news'] };

function viasOf({ results }: SendStatus): readonly (string | undefined)[] {
  return results.map(({ recipients }) => recipients.get('ann@example.org')?.via);
}

function errorOf(make: () => unknown): ConfigurationError {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a function in place of which text is given', () => {
  test.each([
    'route(@main @bulk)?choose=./routes.js#choose',
    'route(@main @bulk)?choose=./routes.js%23choose',
    `route(@main @bulk)?choose=${folder}/routes.js#choose`,
  ])('%s', async (url) => {
    expect(viasOf(await getConnection(url).sendMessages([MAIL, NEWS]))).toEqual(['main', 'bulk']);
  });

  test('is loaded for the connection of AMSDAL_EMAIL_URL, in a wrapper, too', async () => {
    vi.stubEnv('AMSDAL_EMAIL_URL', 'failover(route(@main @bulk)?choose=./old.cjs#choose @main)');
    expect(viasOf(await defaultConnection().sendMessages([MAIL]))).toEqual(['route/bulk']);
  });

  test('is loaded for a connection that is named, and one that is made in code', async () => {
    const options = { connections: ['@main', '@bulk'], choose: './routes.js#choose' };
    cleanUps.push(defineConnections({ routed: { backend: 'route', options } }));
    for (const connection of [getConnection('@routed'), getConnection('route', options)]) {
      expect(viasOf(await connection.sendMessages([NEWS]))).toEqual(['bulk']);
    }
  });

  test('blocking calls use it', () => {
    const connection = getConnection('route(@main @bulk)?choose=./routes.js#choose');
    expect(viasOf(connection.sendMessagesSync([MAIL, NEWS]))).toEqual(['main', 'bulk']);
  });

  test.each([
    [
      './missing.js#choose',
      'load-failed',
      "route: choose: function './missing.js#choose' cannot be loaded, looked for",
    ],
    ['routes.js#choose', 'load-failed', "a file needs './' in front ('./routes.js#choose')"],
    ['./routes.js#chose', 'invalid-option', "it has no export 'chose'; its exports: choose, count,"],
    ['./routes.js#count', 'invalid-option', "route: choose: the export './routes.js#count' is not a function"],
    ['./routes.js#', 'invalid-option', "names no export: write './file.js#name' or 'package#name'"],
    ['./routes.js', 'invalid-option', "choose must be a function (message) => connection, or './file.js#name' of one"],
    ['./waiting.js#choose', 'load-failed', 'it uses top-level await: leave that out, or give the function itself'],
  ])('choose=%s is refused: %s', (choose, code, why) => {
    vi.stubEnv('AMSDAL_EMAIL_URL', `failover(@main route(@main @bulk)?choose=${choose})`);
    const error = errorOf(() => defaultConnection());
    expect(error).toMatchObject({ code, option: 'choose', variable: 'AMSDAL_EMAIL_URL' });
    expect(error.message).toContain(why);
    expect(error.message).toContain('connection 2 of failover: ');
  });

  test('left out, it is asked for', () => {
    const error = errorOf(() => getConnection('route(@main @bulk)'));
    expect(error).toMatchObject({ code: 'missing-option', option: 'choose' });
    expect(error.message).toContain('as text ?choose=./routes.js#choose');
  });

  test('the class itself takes no text', () => {
    const connections = [new DummyBackend()];
    const error = errorOf(() => new RouteBackend({ connections, choose: './routes.js#choose' }));
    expect(error.message).toContain('the class takes the function');
  });

  test.each([
    ['wrong', "choose gave '@bulkk', none of its connections as they were given: main, bulk"],
    ['secret', 'choose gave a string, none of its connections as they were given: main, bulk'],
    ['nothing', 'choose gave nothing, none of its connections'],
    ['late', 'choose gave a promise, and must answer at once'],
  ])('one that answers with what is no connection fails the mail: %s', async (name, why) => {
    const connection = getConnection(`route(@main @bulk)?choose=./routes.js#${name}`);
    const status = await connection.sendMessages([MAIL], { failSilently: true }).catch((error) => error);
    expect(status).toBeInstanceOf(ConfigurationError);
    expect(status.message).toContain(why);
    expect(status.message).not.toContain('verysecret');
  });
});
