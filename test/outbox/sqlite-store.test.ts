import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { outboxStoreContract } from '../../src/outbox/contract.ts';
import { sqliteStore } from '../../src/outbox/stores/sqlite.ts';

describe('the sqlite store', () => {
  const cases = outboxStoreContract(() => {
    const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-outbox-'));
    const path = join(folder, 'mail.db');
    let now = 1_700_000_000_000;
    const options = { now: () => now };
    return {
      store: sqliteStore(path, options),
      other: sqliteStore(path, options),
      advance: (ms) => {
        now += ms;
      },
      close: () => rmSync(folder, { recursive: true }),
    };
  });
  for (const { name, run } of cases) it(name, run);
});
