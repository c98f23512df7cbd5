import { describe, expect, it } from 'vitest';
import type { ServerReply } from '../../../src/model/errors.ts';
import { ReplyParser, ReplySyntaxError, toServerReply } from '../../../src/smtp/protocol/reply.ts';
import { cpuTimeOf } from '../../cpu-time.ts';
import { fc } from '../../properties.ts';

/** The replies in the bytes, when they arrive in chunks of these sizes. */
function parse(bytes: Uint8Array | string, sizes: readonly number[] = []): ServerReply[] {
  const replies: ServerReply[] = [];
  const parser = new ReplyParser(() => replies.push(toServerReply(parser.read())));
  let rest = Buffer.from(bytes);
  for (const size of sizes) {
    parser.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  parser.push(rest);
  return replies;
}

describe('ReplyParser', () => {
  it.each<[string, string, ServerReply[]]>([
    ['a line', '250 Ok\r\n', [{ code: 250, enhancedCode: null, text: 'Ok' }]],
    ['a bare code', '250\r\n', [{ code: 250, enhancedCode: null, text: '' }]],
    [
      'several lines',
      '250-one\r\n250-two\r\n250 three\r\n',
      [{ code: 250, enhancedCode: null, text: 'one\ntwo\nthree' }],
    ],
    ['line feeds only', '250-a\n250 b\n', [{ code: 250, enhancedCode: null, text: 'a\nb' }]],
    ['an enhanced code', '550 5.1.1 Gone\r\n', [{ code: 550, enhancedCode: '5.1.1', text: 'Gone' }]],
    [
      'an enhanced code on every line',
      '550-5.7.1 No\r\n550 5.7.1 never\r\n',
      [{ code: 550, enhancedCode: '5.7.1', text: 'No\nnever' }],
    ],
    ['an enhanced code of another class', '250 5.1.1 Odd\r\n', [{ code: 250, enhancedCode: null, text: '5.1.1 Odd' }]],
    ['UTF-8', '250 Grüße 🎉\r\n', [{ code: 250, enhancedCode: null, text: 'Grüße 🎉' }]],
    [
      'two replies at once',
      '250 a\r\n354 b\r\n',
      [
        { code: 250, enhancedCode: null, text: 'a' },
        { code: 354, enhancedCode: null, text: 'b' },
      ],
    ],
  ])('reads %s', (_, bytes, replies) => {
    expect(parse(bytes)).toEqual(replies);
  });

  it.each([
    ['no code', 'hello\r\n'],
    ['a code too low', '150 x\r\n'],
    ['a code too high', '650 x\r\n'],
    ['a code without a separator', '2500\r\n'],
    ['an empty line', '\r\n'],
    ['different codes in one reply', '250-a\r\n550 b\r\n'],
    ['a line without end', `250 ${'x'.repeat(70_000)}`],
    ['a reply without end', '250-x\r\n'.repeat(3_000)],
  ])('refuses %s', (_, bytes) => {
    expect(() => parse(bytes)).toThrow(ReplySyntaxError);
  });

  it('reads the same replies however the bytes are cut into chunks', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replace(/[\r\n]/g, ' '));
    const reply = fc.tuple(fc.integer({ min: 200, max: 599 }), fc.array(line, { minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 9 })), (replies, sizes) => {
        const bytes = replies
          .map(([code, lines]) =>
            lines.map((text, at) => `${code}${at + 1 < lines.length ? '-' : ' '}${text}\r\n`).join(''),
          )
          .join('');
        expect(parse(bytes, sizes)).toEqual(parse(bytes));
        expect(parse(bytes)).toHaveLength(replies.length);
      }),
    );
  });

  it('takes linear time for a reply that comes octet by octet', async () => {
    const bytes = Buffer.from(`${`250-${'x'.repeat(500)}\r\n`.repeat(1_000)}250 end\r\n`);
    let count = 0;
    const parser = new ReplyParser(() => count++);
    const time = await cpuTimeOf(() => {
      for (let at = 0; at < bytes.length; at++) parser.push(bytes.subarray(at, at + 1));
    });
    expect(count).toBe(1);
    expect(time).toBeLessThan(5_000);
  });

  it('says nothing more after stop(), in the middle of a chunk too', () => {
    let count = 0;
    const parser = new ReplyParser(() => {
      count++;
      parser.stop();
    });
    parser.push(Buffer.from('250 a\r\n250 b\r\n'));
    parser.push(Buffer.from('250 c\r\n'));
    expect(count).toBe(1);
  });
});
