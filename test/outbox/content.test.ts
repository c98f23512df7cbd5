import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import { EmailMessage } from '../../src/model/message.ts';
import { keepMessage, keptMessage } from '../../src/outbox/content.ts';
import { memoryStore } from '../../src/outbox/memory-store.ts';
import { Seal } from '../../src/outbox/seal.ts';

const MAIL = { subject: 'Welcome', body: 'Hello', fromEmail: 'shop@example.com', to: 'jane@example.org' };
const SHORT = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replaceAll('\0', ''));
const TEXT = fc.oneof(
  SHORT,
  fc.constant('\ufeffwith a mark'),
  SHORT.map((text) => `${text} é 👋\r\n`.repeat(300)),
);
const ATTACHMENT = fc.record({
  filename: fc.constantFrom('a.txt', 'Rechnung für Zoë.pdf', null),
  content: fc.oneof(TEXT, fc.uint8Array({ maxLength: 300 })),
});

describe('what is kept of a mail', () => {
  it.each([undefined, 'ab'.repeat(32)])('is what was written down, with the key %s', async (key) => {
    const seal = new Seal(key);
    const given = fc.record({
      ...{ body: TEXT, htmlBody: fc.option(TEXT), attachments: fc.array(ATTACHMENT, { maxLength: 3 }) },
      date: fc.option(fc.constant(new Date(1_700_000_000_123))),
      to: fc.constantFrom('jane@example.org', 'Zoë <zoe@example.org>'),
    });
    const isKept = fc.asyncProperty(given, async (fields) => {
      const message = new EmailMessage({ ...MAIL, ...fields });
      const { content, blobs } = keepMessage(message, seal);
      const opened = new Map(blobs.map(({ hash, bytes }) => [hash, seal.open(bytes)]));
      const kept = await keptMessage(content, seal, async () => opened);
      expect(kept.toJSON()).toEqual(message.toJSON());
    });
    await fc.assert(isKept, { numRuns: 100 });
  });

  it('keeps of each mail what the buffer of its attachment held when it was enqueued', async () => {
    const dummy = new DummyBackend({ store: true });
    const outbox = new Outbox({ store: memoryStore(), connection: dummy });
    const content = Buffer.from('invoice 1');
    for (const invoice of ['invoice 1', 'invoice 2']) {
      content.write(invoice);
      await outbox.enqueue({ ...MAIL, attachments: [{ filename: 'invoice.txt', content }] });
    }
    await outbox.flush();
    const sent = dummy.messages.map(({ attachments }) => Buffer.from(attachments[0]?.content as Uint8Array).toString());
    expect(sent).toEqual(['invoice 1', 'invoice 2']);
  });
});
