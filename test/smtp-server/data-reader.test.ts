import { describe, expect, test } from 'vitest';
import { DataReader, hasBareNewline } from '../../src/smtp-server/data-reader.ts';
import { fc } from '../properties.ts';

/** Feeds octets in pieces as a socket would, and gives the content and what was left behind its end. */
function read(
  wire: Buffer,
  cuts: readonly number[],
  limit = Number.MAX_SAFE_INTEGER,
): { content: Buffer; rest: string } | null {
  const reader = new DataReader(limit);
  const borders = [...new Set(cuts.map((cut) => cut % (wire.length + 1)))].sort((a, b) => a - b);
  let waiting = Buffer.alloc(0);
  let from = 0;
  for (const border of [...borders, wire.length]) {
    waiting = Buffer.concat([waiting, wire.subarray(from, border)]);
    from = border;
    const { next, isDone } = reader.readStuffed(waiting, 0);
    waiting = waiting.subarray(next);
    if (isDone) return { content: reader.take(), rest: Buffer.concat([waiting, wire.subarray(from)]).toString() };
  }
  return null;
}

const stuff = (content: string): Buffer =>
  Buffer.from(
    `${content}${content.endsWith('\r\n') || content === '' ? '' : '\r\n'}`
      .replace(/^\./, '..')
      .replace(/\r\n\./g, '\r\n..'),
  );

describe('dot-stuffed content', () => {
  const pieces = fc.constantFrom('\r', '\n', '\r\n', '.', '..', 'a', '\r\n.', '.\r', 'é', '\0', 'QUIT\r\n', ' ');
  const content = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(''));

  test('arrives octet for octet in any chunking, whatever CR, LF and dots it has', () => {
    fc.assert(
      fc.property(content, fc.array(fc.nat(), { maxLength: 12 }), (text, cuts) => {
        // `\r` before the final CRLF would make `\r\r\n`, which is content too.
        const wire = Buffer.concat([stuff(text), Buffer.from('.\r\nRSET\r\n')]);
        const expected = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
        const result = read(wire, cuts);
        expect(result?.content.toString()).toBe(expected);
        expect(result?.rest).toBe('RSET\r\n');
      }),
      { numRuns: 2000 },
    );
  });

  test.each(['\n.\n', '\n.\r\n', '\r.\r', '\r\n.\n', '\r\n.\r', '\r.\r\n', '\n\n.\r\n', '\r\n\0.\r\n'])(
    'is not ended by %j (SMTP smuggling)',
    (trick) => {
      const wire = Buffer.from(`a${trick}MAIL FROM:<evil@example.com>\r\n.\r\n`);
      for (let cut = 0; cut <= wire.length; cut += 1) {
        const result = read(wire, [cut]);
        expect(result?.content.toString()).toBe(`a${trick.replace('\r\n.', '\r\n')}MAIL FROM:<evil@example.com>\r\n`);
        expect(result?.rest).toBe('');
      }
    },
  );

  test('over the limit is counted but not kept', () => {
    const reader = new DataReader(10);
    const wire = Buffer.from('0123456789abcdef\r\n.\r\n');
    expect(reader.readStuffed(wire, 0)).toEqual({ next: wire.length, isDone: true });
    expect([reader.size, reader.take().length]).toEqual([18, 0]);
  });
});

test.each([
  ['', false],
  ['a\r\nb\r\n', false],
  ['a\nb', true],
  ['\n', true],
  ['a\rb', true],
  ['a\r', true],
  ['\r\r\n', true],
  ['\r\n\n', true],
  ['\n\r', true],
])('a bare CR or LF in %j: %s', (text, expected) => {
  expect(hasBareNewline(Buffer.from(text))).toBe(expected);
});
