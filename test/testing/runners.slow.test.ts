import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../docs/code-blocks.ts';

const run = promisify(execFile);
const MINUTES = 60_000;
const page = readFileSync(join(ROOT, 'docs/testing.md'), 'utf8');
let modules = '';
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'runners-'));
  modules = join(folder, 'node_modules');
  const packed = join(modules, 'amsdal-mail');
  mkdirSync(packed, { recursive: true });
  const pack = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT });
  const [{ filename }]: [{ readonly filename: string }] = JSON.parse(pack.stdout);
  await run('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', packed]);
  for (const name of ['vitest', 'jest']) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
}, 2 * MINUTES);

afterAll(() => rmSync(folder, { recursive: true }));

/** A block of the page by its `file=` tag, or the one under a heading. */
function block(place: string): string {
  const text = page.includes(`file=${place}\n`)
    ? page.split(`file=${place}\n`)[1]
    : page.split(`\n### ${place}\n`)[1]?.split(/```js\n/)[1];
  if (text === undefined) throw new Error(`docs/testing.md has no block ${place}`);
  return text.split('\n```')[0] ?? '';
}

/** What the page does not show: inboxes of hooks, snapshots, failures, and the contract; `header` brings test, expect and the like. */
function more(header: string): string {
  return `${header}
let inbox;
const send = (to) => sendMail({ subject: 'Hi ' + to, message: 'Hello', fromEmail: 'a@example.com', recipientList: [to] });

describe('an inbox of a hook', () => {
  beforeEach(() => { inbox = useInbox(); });
  afterEach(() => inbox.close());
  for (const name of ['ann', 'bob']) {
    it('sees the mail of ' + name + ' alone', async () => {
      await send(name + '@example.org');
      await new Promise((resolve) => setTimeout(resolve, 5));
      await send(name + '@example.org');
      same(inbox.messages.map(({ subject }) => subject), ['Hi ' + name + '@example.org', 'Hi ' + name + '@example.org']);
    });
  }
});

describe('an inbox of an asynchronous hook', () => {
  beforeEach(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    inbox = useInbox();
  });
  afterEach(() => inbox.close());
  for (const name of ['cid', 'dan']) {
    it('sees the mail of ' + name + ' alone', async () => {
      await send(name + '@example.org');
      same(inbox.messages.map(({ to }) => to), [[name + '@example.org']]);
    });
  }
});

beside(() => {
  for (let number = 0; number < 10; number++) {
    concurrently('test ' + number + ' sees its own mail beside others', async () => {
      if (number % 2 === 0) await new Promise((resolve) => setTimeout(resolve, number));
      const own = useInbox();
      await send('jane@example.org');
      await new Promise((resolve) => setTimeout(resolve, 20));
      await send('jane' + number + '@example.org');
      same(own.messages.map(({ to }) => to), [['jane@example.org'], ['jane' + number + '@example.org']]);
      await own.close();
    });
  }
});

it('a failure lists what was sent', async () => {
  const own = useInbox();
  await send('ann@example.org');
  let message = 'nothing was thrown';
  try { expectOf(own).toHaveSent({ to: 'bob@example.org' }); } catch (error) { message = error.message; }
  same(message.includes('sent was:\\n1. "Hi ann@example.org" to ann@example.org'), true);
});

const factory = () => {
  const backend = createInbox();
  return { backend, received: () => backend.messages.map(({ recipients, bytes }) => ({ recipients, source: bytes })) };
};
describeBackend('the inbox', factory, { describe, it, lacks: ['refuse', 'breakDown', 'stall', 'loseAnswers'] });
`;
}

const KIT = `import { sendMail } from 'amsdal-mail';
import { createInbox, describeBackend, expectMail, useInbox } from 'amsdal-mail/testing';`;
const SNAPSHOT = `
it('a snapshot of a mail', async () => {
  expect.addSnapshotSerializer(mailSnapshotSerializer);
  const own = useInbox();
  await send('ann@example.org');
  expect(own.last).toMatchInlineSnapshot(\`
Recipients: ann@example.org
From: a@example.com
To: ann@example.org
Subject: Hi ann@example.org
Date: Thu, 01 Jan 1970 00:00:00 +0000
Message-ID: <message-id@example.com>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

--- text/plain
Hello
\`);
});
`;

/** Makes a project of these files beside the packed package. */
function project(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(folder, name);
  mkdirSync(root);
  symlinkSync(modules, join(root, 'node_modules'));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  return root;
}

async function outputOf(cwd: string, ...command: readonly string[]): Promise<string> {
  const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '', NO_COLOR: '1', VITEST: '', CI: 'true' };
  const { stdout, stderr } = await run(process.execPath, command, { cwd, env, timeout: 4 * MINUTES }).catch(
    (error: { readonly stdout: string; readonly stderr: string }) => error,
  );
  return stdout + stderr;
}

test('Vitest runs the sign-up of the page', { timeout: 5 * MINUTES }, async () => {
  const header = `${KIT}
import { mailMatchers, mailSnapshotSerializer } from 'amsdal-mail/testing/vitest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
expect.extend(mailMatchers);
const expectOf = expect;
const beside = (body) => describe('beside others', body);
const concurrently = it.concurrent;
const same = (actual, expected) => expect(actual).toEqual(expected);`;
  const root = project('vitest', {
    'package.json': '{ "type": "module" }',
    'sign-up.js': block('sign-up.js'),
    'sign-up.test.ts': block('sign-up.vitest.test.ts'),
    'more.test.js': more(header) + SNAPSHOT,
  });
  const output = await outputOf(root, join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--root', root);
  expect(output).toMatch(/Test Files {2}2 passed \(2\)/);
});

const JEST_HEADER = `${KIT}
import { mailMatchers, mailSnapshotSerializer } from 'amsdal-mail/testing/jest';
expect.extend(mailMatchers);
const expectOf = expect;
const beside = (body) => describe('beside others', body);
const concurrently = it.concurrent;
const same = (actual, expected) => expect(actual).toEqual(expected);`;
const JEST_FILES = {
  'sign-up.js': block('sign-up.js'),
  'sign-up.test.js': block('sign-up.jest.test.js'),
  'more.test.js': more(JEST_HEADER) + SNAPSHOT,
};
const JEST = join(ROOT, 'node_modules/jest/bin/jest.js');
const JEST_OPTIONS = ['--ci', '--watchman=false', '--cacheDirectory=.jest', '--maxWorkers=1', '--testTimeout=60000'];

test('Jest runs it in a project of ES modules', { timeout: 5 * MINUTES }, async () => {
  const root = project('jest-esm', {
    ...JEST_FILES,
    'package.json': '{ "type": "module" }',
    'jest.config.mjs': block('jest.config.mjs'),
  });
  const output = await outputOf(root, '--experimental-vm-modules', JEST, ...JEST_OPTIONS);
  expect(output).toMatch(/Test Suites: 2 passed, 2 total/);
});

/** The page's ES modules as CommonJS, as every compiler makes it of them. */
function required(text: string): string {
  const names = [...text.matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name]) => name);
  const body = text
    .replaceAll(/^import (\{[^}]+\}) from ('[^']+');/gm, 'const $1 = require($2);')
    .replaceAll(/^export (?=(?:async )?function)/gm, '');
  return names.length === 0 ? body : `${body}\nmodule.exports = { ${names.join(', ')} };\n`;
}

test('Jest runs it in a CommonJS project, with no transform', { timeout: 5 * MINUTES }, async () => {
  const root = project('jest-cjs', {
    ...Object.fromEntries(Object.entries(JEST_FILES).map(([path, text]) => [path, required(text)])),
    'required.test.js': block('required.jest.test.cjs'),
    'package.json': '{ "jest": { "transform": {} } }',
  });
  const output = await outputOf(root, JEST, ...JEST_OPTIONS);
  expect(output).toMatch(/Test Suites: 3 passed, 3 total/);
});

test('node:test runs it', { timeout: 5 * MINUTES }, async () => {
  const header = `${KIT}
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
const expectOf = expectMail;
const beside = (body) => describe('beside others', { concurrency: 10 }, body);
const concurrently = it;
const same = assert.deepEqual;`;
  const root = project('node-test', {
    'package.json': '{ "type": "module" }',
    'sign-up.js': block('sign-up.js'),
    'sign-up.test.js': block('node:test'),
    'more.test.js': more(header),
  });
  const output = await outputOf(root, '--test', '--test-reporter=tap', 'sign-up.test.js', 'more.test.js');
  expect(output).toMatch(/^# fail 0$/m);
  expect(Number(/^# pass (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(20);
});
