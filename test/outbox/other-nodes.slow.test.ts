import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../docs/code-blocks.ts';

const run = promisify(execFile);

/** The Node that runs the tests, and those that NODE_BINARIES names, parted by colons: CI gives 22, 24 and 26. */
const nodes = [process.execPath, ...(process.env['NODE_BINARIES'] ?? '').split(':').filter(Boolean)];
const dist = (name: string) => JSON.stringify(pathToFileURL(join(ROOT, 'dist', name)).href);
/** Runs the cases of the contract over what is built, and prints what does not hold. */
const PROGRAM = `
  import { outboxStoreContract } from ${dist('connection/outbox.js')};
  import { sqliteStore } from ${dist('outbox/stores/sqlite.js')};
  let [files, passed] = [0, 0];
  const cases = outboxStoreContract(() => {
    const path = process.version + '-' + ++files + '.db';
    let now = 1_700_000_000_000;
    const options = { now: () => now };
    const advance = (ms) => { now += ms; };
    return { store: sqliteStore(path, options), other: sqliteStore(path, options), advance };
  });
  for (const { name, run } of cases) {
    try {
      await run();
      passed++;
    } catch (error) {
      console.log(name, error);
    }
  }
  console.log(passed, 'of', cases.length, 'on', process.version.split('.')[0]);
`;
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-nodes-'));
  writeFileSync(join(folder, 'contract.mjs'), PROGRAM);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

test.each(nodes)('the sqlite store keeps the contract with %s', async (node) => {
  const { stdout } = await run(node, ['contract.mjs'], { cwd: folder });
  expect(stdout).toMatch(/^(\d+) of \1 on v\d+\n$/);
});
