import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { getConnection, sendMail } from '../../src/index.ts';
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

  it('holds no lane back when the clock of the machine is put back', async () => {
    let now = 1_700_000_000_000;
    const store = sqliteStore(':memory:', { now: () => now });
    const rates = [{ bucket: 'bulk', perSecond: 10, burst: 10, perHour: 11 }];
    expect(await store.take(rates, 10)).toBe(0);
    expect(await store.take(rates, 1)).toBe(1_010);
    now -= 30 * 86_400_000;
    expect(await store.take(rates, 1)).toBe(1_010); // as before
    now += 1_010;
    expect(await store.take(rates, 1)).toBe(0);
    expect(await store.take(rates, 1)).toBeLessThanOrEqual(3_636_000);
    await store.close();
  });

  it('finds a text in any case of its letters, of any language, on any page', async () => {
    const store = sqliteStore(':memory:');
    const id = (place: number) => String(place).padStart(26, '0');
    const given = { key: null, priority: 0, orderKey: null, messageId: null, dueAt: null, onDoubt: 'hold' } as const;
    await store.enqueue(
      Array.from({ length: 2_300 }, (_, place) => ({
        ...{ ...given, id: id(place), lane: place % 2 === 0 ? 'a' : 'b', content: new Uint8Array(), blobs: [] },
        facts: JSON.stringify({ subject: place % 500 < 2 ? `ГРЮSSE Höher ${place}` : `Mail ${place}` }),
      })),
      {},
    );
    const found = async (query: object) =>
      (await store.query('list', { text: 'грюsse hÖHER', limit: 100, ...query })).map((each) => Number(each.id));
    expect(await found({})).toEqual([2001, 2000, 1501, 1500, 1001, 1000, 501, 500, 1, 0]);
    expect(await found({ lane: 'b', limit: 2 })).toEqual([2001, 1501]);
    expect(await found({ lane: 'b', before: id(1501) })).toEqual([1001, 501, 1]);
    expect(await found({ text: 'жук' })).toEqual([]);
    await store.close();
  });
});

describe('an outbox in a file, by its URL', () => {
  const folders: string[] = [];
  const newFolder = () => {
    const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-outbox-'));
    folders.push(folder);
    return folder;
  };
  const mail = {
    subject: 'Welcome',
    message: 'Hello',
    fromEmail: 'shop@example.com',
    recipientList: ['jane@example.org'],
  };

  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  it('refuses what is no option, and makes no file of that name', async () => {
    const folder = newFolder();
    const outbox = getConnection(`outbox:sqlite:${folder}/mail.db?via=smtp://localhost&keepsent=s3cret`);
    const sending = sendMail({ ...mail, connection: outbox });
    await expect(sending).rejects.toMatchObject({
      code: 'unknown-option',
      message: expect.stringContaining('keepsent'),
    });
    await expect(sending).rejects.not.toMatchObject({ message: expect.stringContaining('s3cret') });
    expect(readdirSync(folder)).toEqual([]);
    await outbox.close();
  });

  it('opens its file with the next mail when it could not with the last', async () => {
    const folder = join(newFolder(), 'data');
    const outbox = getConnection(`outbox:sqlite:${folder}/mail.db?via=smtp://localhost`);
    await expect(sendMail({ ...mail, connection: outbox })).rejects.toThrow('cannot be opened');
    mkdirSync(folder);
    expect(
      (await sendMail({ ...mail, connection: outbox })).results[0]?.recipients.get('jane@example.org')?.status,
    ).toBe('queued');
    await outbox.close();
  });
});
