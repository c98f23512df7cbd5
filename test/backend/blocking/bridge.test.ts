import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { WorkerDelivery } from '../../../src/backend/blocking/bridge.ts';
import { ConfigurationError, type EmailBackend, EmailMessage, getConnection } from '../../../src/index.ts';

const DIST = fileURLToPath(new URL('../../../dist/index.js', import.meta.url));
const MESSAGE = { subject: 'x', body: 'x', fromEmail: 'a@example.com', to: 'b@example.com' };

test.each<[string, () => EmailBackend]>([
  ['a worker', () => getConnection('smtp', { host: 'localhost' })],
  ['the composer', () => getConnection('file', { path: tmpdir() })],
  ['the composer, for raw', () => getConnection('console', { raw: true })],
])('a blocking call which needs %s that is not there is an error that says what to do', (_, connect) => {
  // The sources have no CommonJS beside them, like a bundle that was made without them.
  const connection = connect();
  expect(() => connection.sendMessagesSync([MESSAGE])).toThrow(ConfigurationError);
  expect(() => connection.sendMessagesSync([MESSAGE])).toThrow(
    /blocking calls need files of the package amsdal-mail that a bundler leaves behind: .*external/,
  );
});

test.each([
  [
    'plain objects and lists of another realm, as in Jest, cross',
    '({ timeouts: { connect: 1 }, tls: { ca: ["x"] } })',
    'load-failed',
  ],
  ['objects of its classes do not', '({ socket: new (class Tunnel {})() })', 'not-blocking'],
])('options of a connection: %s', (_, options, code) => {
  const delivery = new WorkerDelivery({ backend: 'smtp', options: runInNewContext(options) });
  const job = { index: 0, message: new EmailMessage(MESSAGE), signal: undefined };
  const deliver = () => delivery.deliver('smtp', [job], () => expect.unreachable());
  expect(deliver).toThrow(expect.objectContaining({ code })); // load-failed: the sources have no file for the worker
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

test.each([
  ['ES modules', '--input-type=module', `import { FileBackend } from ${JSON.stringify(DIST)};`],
  [
    'CommonJS',
    '--input-type=commonjs',
    `const { FileBackend } = require(${JSON.stringify(DIST.replace('index.js', 'cjs/index.js'))});`,
  ],
])('the file backend composes in a blocking call before anything was sent: %s', async (_, type, load) => {
  const folder = await mkdtemp(join(tmpdir(), 'sync-'));
  const script = `${load}
    const status = new FileBackend({ path: ${JSON.stringify(folder)} }).sendMessagesSync([${JSON.stringify(MESSAGE)}]);
    console.log(status.isSuccess);`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [type, '--eval', script]);
  expect({ stdout, stderr }).toEqual({ stdout: 'true\n', stderr: '' });
  expect((await readdir(folder)).map((name) => extname(name))).toEqual(['.eml']);
  await rm(folder, { recursive: true });
});
