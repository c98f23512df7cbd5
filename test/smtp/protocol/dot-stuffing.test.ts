import { describe, expect, it } from 'vitest';
import { DotStuffer } from '../../../src/smtp/protocol/dot-stuffing.ts';
import { fc } from '../../properties.ts';

function stuff(chunks: readonly string[]): string {
  const written: Buffer[] = [];
  const stuffer = new DotStuffer((bytes) => written.push(Buffer.from(bytes)));
  for (const chunk of chunks) stuffer.push(Buffer.from(chunk, 'latin1'));
  stuffer.end();
  return Buffer.concat(written).toString('latin1');
}

describe('DotStuffer', () => {
  it.each([
    ['a dot on the first line', ['.a\r\n'], '..a\r\n'],
    ['a line of a dot', ['a\r\n.\r\nb\r\n'], 'a\r\n..\r\nb\r\n'],
    ['dots within a line', ['a.b\r\n'], 'a.b\r\n'],
    ['a line end cut before the dot', ['a\r\n', '.b\r\n'], 'a\r\n..b\r\n'],
    ['a line end cut in its middle', ['a\r', '\n.b\r\n'], 'a\r\n..b\r\n'],
    ['every octet apart', ['a', '\r', '\n', '.', '\r', '\n'], 'a\r\n..\r\n'],
    ['a last line without end', ['a'], 'a\r\n'],
    ['a last CR', ['a\r'], 'a\r\r\n'],
    ['nothing at all', [], ''],
    ['a bare LF before a dot, which is no line end', ['a\n.b\r\n'], 'a\n.b\r\n'],
  ])('stuffs %s', (_, chunks, expected) => {
    expect(stuff(chunks)).toBe(expected);
  });

  it('is undone by a receiver to the very same bytes, and never ends early, in any chunking', () => {
    const text = fc.array(fc.constantFrom('.', '\r', '\n', '\r\n', '\r\n.', 'a', '..'), { maxLength: 30 });
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 3 })), (parts, sizes) => {
        const content = parts.join('');
        const chunks: string[] = [];
        let rest = content;
        for (const size of sizes) {
          chunks.push(rest.slice(0, size));
          rest = rest.slice(size);
        }
        const stuffed = stuff([...chunks, rest]);
        expect(`\r\n${stuffed}`).not.toContain('\r\n.\r\n');
        const received = stuffed.replace(/(^|\r\n)\./g, '$1');
        expect(received).toBe(content === '' || content.endsWith('\r\n') ? content : `${content}\r\n`);
      }),
      { numRuns: 2_000 },
    );
  });
});
