import { describe, expect, test } from 'vitest';
import { encodeEmailTags } from '../../../src/backends/ses/email-tags.ts';
import { decodeEmailTags } from '../../../src/backends/ses.ts';
import { MessageError } from '../../../src/model/errors.ts';
import { fc } from '../../properties.ts';
import { LIMITS } from '../../servers/strict-ses-rules.ts';

/** As SES tells tags in its events. */
function eventTags(tags: readonly string[], metadata: Readonly<Record<string, string>>): Record<string, string[]> {
  return Object.fromEntries(encodeEmailTags({ tags, metadata }).map(({ Name, Value }) => [Name, [Value]]));
}

// Text as people write it, ASCII, text made to collide with the encoding, and halves of characters.
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: 'binary-ascii', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom('\ud83d', '\ude00', 'a'), maxLength: 3 }),
  fc.string({ unit: fc.constantFrom('b64-', 'metadata_', 'a', '_', '-', 'ü', ':', ' '), maxLength: 60 }),
);

describe('message tags of SES', () => {
  test('a legal tag is the name, and its value is true', () => {
    expect(encodeEmailTags({ tags: ['welcome'], metadata: { order_id: '12-34', 'user id': 'Jörg' } })).toEqual([
      { Name: 'welcome', Value: 'true' },
      { Name: 'metadata_order_id', Value: '12-34' },
      { Name: 'metadata_b64-dXNlciBpZA', Value: 'b64-SsO2cmc' },
    ]);
  });

  test('every text is legal when encoded and reads back as it was, or is refused', () => {
    const draft = fc.record({
      tags: fc.uniqueArray(
        text.filter((tag) => tag !== ''),
        { maxLength: 30 },
      ),
      metadata: fc.dictionary(text, text, { maxKeys: 30 }),
    });
    fc.assert(
      fc.property(draft, (message) => {
        let encoded: ReturnType<typeof encodeEmailTags>;
        try {
          encoded = encodeEmailTags(message);
        } catch (error) {
          expect(error).toBeInstanceOf(MessageError);
          return;
        }
        for (const { Name, Value } of encoded) {
          for (const part of [Name, Value]) expect(part).toMatch(/^[A-Za-z0-9_-]{1,255}$/);
        }
        expect(new Set(encoded.map(({ Name }) => Name)).size).toBe(encoded.length);
        const decoded = decodeEmailTags(Object.fromEntries(encoded.map(({ Name, Value }) => [Name, [Value]])));
        expect([...decoded.tags].sort()).toEqual([...message.tags].sort()); // JSON has no order of names
        expect({ ...decoded.metadata }).toEqual({ ...message.metadata });
      }),
      { numRuns: 2_000 },
    );
  });

  test('what does not fit is refused by its field', () => {
    const long = 'ü'.repeat(100);
    const issuesOf = (message: Parameters<typeof encodeEmailTags>[0]) => {
      try {
        return encodeEmailTags(message).length;
      } catch (error) {
        return error instanceof MessageError ? error.issues.map(({ path, code }) => `${path} ${code}`) : error;
      }
    };
    expect(issuesOf({ tags: ['x'.repeat(LIMITS.tag)], metadata: {} })).toBe(1);
    expect(issuesOf({ tags: ['half \ud83d'], metadata: {} })).toEqual(['tags[0] range']);
    expect(issuesOf({ tags: ['a', long], metadata: { key: long, [long]: 'x' } })).toEqual([
      'tags[1] too-long',
      'metadata.key too-long',
      `metadata.${long} too-long`,
    ]);
    const metadata = Object.fromEntries(Array.from({ length: 26 }, (_, index) => [`k${index}`, 'v']));
    expect(issuesOf({ tags: Array.from({ length: 25 }, (_, index) => `t${index}`), metadata })).toEqual([
      'tags too-many',
    ]);
  });

  test("SES's own tags and those of others are left out", () => {
    const tags = { ...eventTags(['news'], { a: 'b' }), 'ses:source-ip': ['192.0.2.1'], campaign: ['spring'] };
    expect(decodeEmailTags(tags)).toEqual({ tags: ['news'], metadata: { a: 'b' } });
  });

  test('metadata named __proto__ is metadata', () => {
    const metadata = JSON.parse('{"__proto__": "x"}');
    expect(Object.entries(decodeEmailTags(eventTags([], metadata)).metadata)).toEqual([['__proto__', 'x']]);
  });
});
