import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, it } from 'vitest';
import { sqliteStore } from '../../src/outbox/stores/sqlite.ts';
import { eightWorkers, restarts } from './rates-together.ts';

const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-rates-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('eight workers over one file keep to the rates of a lane, and all of them send', async () => {
  await eightWorkers(() => sqliteStore(join(folder, 'eight.db')));
});

it('workers that are killed and begin anew go on counting in a file', async () => {
  await restarts(`sqlite:${join(folder, 'restarts.db')}`);
});
