import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ConfigurationError, getConnection } from '../../../src/index.ts';

const DIST = fileURLToPath(new URL('../../../dist/index.js', import.meta.url));
const MESSAGE = { subject: 'x', body: 'x', fromEmail: 'a@example.com', to: 'b@example.com' };

test('a blocking call whose worker is not there is an error, not an endless wait', () => {
  // The sources have no blocking-worker.js beside them, like a bundle that was made without it.
  const connection = getConnection('smtp', { host: 'localhost' });
  expect(() => connection.sendMessagesSync([MESSAGE])).toThrow(ConfigurationError);
  expect(() => connection.sendMessagesSync([MESSAGE])).toThrow(
    /blocking calls need files of the package amsdal-mail that a bundler leaves behind: .*external/,
  );
});

test('a blocking call whose worker ends in the middle of it is an error, not an endless wait, and the next call works', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sync-'));
  const dist = JSON.stringify(DIST);
  await writeFile(
    join(folder, 'backend.mjs'),
    `import { EmailBackend } from ${dist};
    export class Ends extends EmailBackend {
      name = 'ends'; features = new Set();
      async *deliver() { process.exit(1); }
    }`,
  );
  const script = `import { getConnection } from ${dist};
    const connection = getConnection('./backend.mjs#Ends');
    for (let i = 0; i < 2; i += 1) {
      try { connection.sendMessagesSync([${JSON.stringify(MESSAGE)}]); }
      catch (error) { console.log(error.name, error.code, error.outcome); }
    }`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: folder,
  });
  expect(stdout).toBe('SendError uncertain unknown\n'.repeat(2));
  await rm(folder, { recursive: true });
});
