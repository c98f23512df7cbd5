import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../docs/code-blocks.ts';
import { type SesLocal, startSesLocal } from '../../servers/ses-local.ts';

const run = promisify(execFile);
const MAIL = "{ subject: 'Hello', body: 'x', fromEmail: 'a@example.com', to: ['b@example.org'] }";
const KEYS = "accessKeyId: 'a', secretAccessKey: 'b'";
const dist = pathToFileURL(join(ROOT, 'dist/index.js')).href;

let folder = '';
let ses: SesLocal;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ses-'));
  ses = await startSesLocal();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await ses.close();
});

/** What a program prints, as JSON. */
async function result(text: string): Promise<unknown> {
  const file = join(folder, 'program.mjs');
  writeFileSync(file, text);
  const { stdout } = await run(process.execPath, [file], { cwd: folder, timeout: 60_000 });
  return JSON.parse(stdout);
}

describe('the library as it is built', () => {
  test('loads no SDK before ses is used', async () => {
    const loaded = await result(`
      import { createRequire } from 'node:module';
      import { getConnection } from '${dist}';
      const { cache } = createRequire(import.meta.url);
      const count = () => Object.keys(cache).filter((path) => path.includes('@aws-sdk') || path.includes('@smithy')).length;
      await getConnection('dummy').sendMessages([${MAIL}]);
      const connection = getConnection('ses', { ${KEYS}, endpoint: '${ses.endpoint}' });
      const before = count();
      await connection.sendMessages([${MAIL}]);
      await connection.close();
      console.log(JSON.stringify([before, count() > 10]));
    `);
    expect(loaded).toEqual([0, true]);
  });

  test('without the SDK it says what to install', async () => {
    cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const error = await result(`
      import { getConnection } from './dist/index.js';
      const error = await getConnection('ses').sendMessages([${MAIL}], { failSilently: true }).catch((thrown) => thrown);
      console.log(JSON.stringify([error.name, error.code, error.message]));
    `);
    expect(error).toEqual([
      'ConfigurationError',
      'missing-dependency',
      expect.stringContaining('npm install amsdal-mail @aws-sdk/client-sesv2'),
    ]);
  });

  test('sends while the thread waits; a client cannot cross to the worker, and is named', async () => {
    await ses.clear();
    const facts = await result(`
      import { getConnection } from '${dist}';
      const options = { ${KEYS}, endpoint: '${ses.endpoint}' };
      const connection = getConnection('ses', options);
      const status = connection.sendMessagesSync([${MAIL}]);
      connection.closeSync();
      const client = { send: async () => ({}) };
      let refused = '';
      try { getConnection('ses', { client }).sendMessagesSync([${MAIL}]) } catch (error) { refused = error.code + ': ' + error.message }
      console.log(JSON.stringify([status.isSuccess, status.messageId, refused]));
    `);
    const [mail] = await ses.mails();
    expect(facts).toEqual([true, mail?.messageId, expect.stringMatching(/^not-blocking: .*with client/)]);
  });
});
