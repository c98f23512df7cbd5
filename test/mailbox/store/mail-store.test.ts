import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../../src/mailbox/store/mail-storage.ts';
import { MailStore } from '../../../src/mailbox/store/mail-store.ts';
import { parseSearch } from '../../../src/mailbox/store/search.ts';
import type { StoredFacts } from '../../../src/mailbox/store/stored-facts.ts';

/** Counts what it holds. */
class CountingStorage extends MemoryStorage {
  readonly sizes = new Map<string, number>();
  most = { mails: 0, bytes: 0 };

  override save(facts: StoredFacts, bytes: Uint8Array): void {
    super.save(facts, bytes);
    this.sizes.set(facts.id, bytes.length);
  }

  override remove(id: string): void {
    super.remove(id);
    this.sizes.delete(id);
  }

  get bytes(): number {
    return [...this.sizes.values()].reduce((sum, size) => sum + size, 0);
  }
}

const envelope = { from: 'a@example.com', to: ['b@example.com'] };
const mail = (index: number, size: number) => ({
  bytes: Buffer.from(`Subject: mail ${index}\r\n\r\n`.padEnd(size, 'x')),
  envelope,
  via: 'api' as const,
});

describe('memory is bounded', () => {
  test.each([
    [
      'many mails',
      { maxMessages: 100, maxBytes: 1_000_000_000 },
      5000,
      (index: number) => mail(index, 50 + (index % 7)),
    ],
    [
      'many bytes',
      { maxMessages: 10_000, maxBytes: 500_000 },
      5000,
      (index: number) => mail(index, (index * 37) % 20_000),
    ],
    [
      'what comes beside small mails',
      { maxMessages: 10_000, maxBytes: 500_000 },
      1000,
      (index: number) => ({ ...mail(index, 50), facts: { mergeData: 'x'.repeat(10_000) } }),
    ],
  ])('%s', (_, limits, count, make) => {
    const storage = new CountingStorage();
    const store = new MailStore(storage, { ...limits, maxSize: 1_000_000 });
    for (let index = 0; index < count; index += 1) {
      const { id } = store.add(make(index));
      if (index % 100 > 0) continue;
      const { messages } = store.list({ matcher: parseSearch(''), limit: count });
      expect(messages[0]?.id, 'the newest is kept').toBe(id);
      expect(messages.map((summary) => summary.id).reverse()).toEqual([...storage.sizes.keys()]);
      expect(messages.length).toBeLessThanOrEqual(limits.maxMessages);
      expect(storage.bytes + JSON.stringify(messages).length).toBeLessThanOrEqual(limits.maxBytes);
    }
    expect(store.size).toBeGreaterThan(10);
    store.remove(parseSearch(''));
    expect(storage.sizes.size).toBe(0);
    store.add(make(0));
    expect(store.size).toBe(1);
  });
});
