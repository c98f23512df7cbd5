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
  test("sends without any package beside it; a client of one's own needs the SDK, and it is named", async () => {
    await ses.clear();
    cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const [id, error] = (await result(`
      import { getConnection } from './dist/index.js';
      const connection = getConnection('ses', { ${KEYS}, endpoint: '${ses.endpoint}' });
      const { messageId } = await connection.sendMessages([${MAIL}]);
      await connection.close();
      const client = { send: async () => ({}) };
      const error = await getConnection('ses', { client }).sendMessages([${MAIL}], { failSilently: true }).catch((thrown) => thrown);
      console.log(JSON.stringify([messageId, [error.name, error.code, error.message]]));
    `)) as readonly [string, readonly string[]];
    const [mail] = await ses.mails();
    expect(id).toBe(mail?.messageId);
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
