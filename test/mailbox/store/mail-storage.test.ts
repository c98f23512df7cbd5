import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderStorage } from '../../../src/mailbox/store/mail-storage.ts';
import { MailStore } from '../../../src/mailbox/store/mail-store.ts';
import { parseSearch } from '../../../src/mailbox/store/search.ts';
import type { StoredFacts } from '../../../src/mailbox/store/stored-facts.ts';

let folder = '';
let warnings: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-mailbox-'));
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LIMITS = { maxMessages: 10, maxBytes: 1_000_000, maxSize: 100_000 };
const FACTS = {
  id: 'mail',
  receivedAt: '2026-01-31T12:00:00.000Z',
  isRead: false,
  via: 'smtp',
  envelope: { from: 'ann@example.org', to: ['bob@example.org'] },
} satisfies StoredFacts;
const BYTES = Buffer.from('Subject: kept\r\n\r\nHello');

const open = (): FolderStorage => new FolderStorage(folder, (text) => warnings.push(text));
const everything = { matcher: parseSearch(''), limit: 10 };

test.each<[string, unknown]>([
  ['no JSON', '{"id":'],
  ['nothing', ''],
  ['a list', []],
  ['an object of something else', { name: 'package' }],
  ['no time', { ...FACTS, receivedAt: 'yesterday' }],
  ['no way', { ...FACTS, via: 'pigeon' }],
  ['no envelope', { ...FACTS, envelope: null }],
  ['recipients that are numbers', { ...FACTS, envelope: { from: '', to: [7] } }],
  ['tags that are a text', { ...FACTS, tags: 'news' }],
  ['metadata that is a list', { ...FACTS, metadata: ['x'] }],
  ['facts that are a text', { ...FACTS, facts: 'tls' }],
])('a .json with %s is named and left alone, and the mails are there', (_, content) => {
  open().save({ ...FACTS, id: 'other' }, BYTES);
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(folder, 'mail.eml'), BYTES);
  writeFileSync(join(folder, 'mail.json'), text);

  const store = new MailStore(open(), LIMITS);
  expect(warnings).toEqual([expect.stringContaining(join(folder, 'mail.json'))]);
  expect(
    store
      .list(everything)
      .messages.map(({ id, subject }) => `${id} ${subject}`)
      .sort(),
  ).toEqual(['mail kept', 'other kept']);
  store.setRead('mail', true);
  store.remove(() => true);
  expect(readdirSync(folder)).toEqual(['mail.json']);
  expect(readFileSync(join(folder, 'mail.json'), 'utf8')).toBe(text);
});

test('what was stored is read again', () => {
  const facts = { ...FACTS, isRead: true, tags: ['a, b'], metadata: { order: '17' }, facts: { tls: true, size: 3 } };
  open().save(facts, BYTES);
  expect([...open().load()]).toEqual([{ facts, bytes: BYTES }]);
  expect(warnings).toEqual([]);
});

test.skipIf(!existsSync('/dev/full')).each(['mail.json', 'mail.eml'])(
  'a disk that is full at %s keeps no half of a mail',
  (name) => {
    symlinkSync('/dev/full', join(folder, `${name}.part`)); // every write there fails with ENOSPC
    expect(() => open().save(FACTS, BYTES)).toThrow('ENOSPC');
    expect(readdirSync(folder)).toEqual([]);
  },
);

test.skipIf(!existsSync('/dev/full'))('a mail that cannot be marked as read stays unread', () => {
  open().save(FACTS, BYTES);
  const store = new MailStore(open(), LIMITS);
  symlinkSync('/dev/full', join(folder, 'mail.json.part'));
  expect(() => store.setRead('mail', true)).toThrow('ENOSPC');
  expect(store.get('mail')?.isRead).toBe(false);
  expect(readdirSync(folder).sort()).toEqual(['mail.eml', 'mail.json']);
});
