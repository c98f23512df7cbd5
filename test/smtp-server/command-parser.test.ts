import { describe, expect, test } from 'vitest';
import { hasControlCharacter, parseChunkSize, parsePath } from '../../src/smtp-server/command-parser.ts';
import { cpuTimeOf } from '../cpu-time.ts';
import { fc } from '../properties.ts';

describe('a path (RFC 5321, section 4.1.2)', () => {
  test.each([
    ['<>', '', {}],
    ['<a@x.org>', 'a@x.org', {}],
    ['<postmaster>', 'postmaster', {}],
    ['<a.b+c@[127.0.0.1]> SIZE=10', 'a.b+c@[127.0.0.1]', { SIZE: '10' }],
    ['<a@[IPv6:::1]>', 'a@[IPv6:::1]', {}],
    ['<"a b"@x.org>', '"a b"@x.org', {}],
    ['<"a> ORCPT=rfc822;x"@x.org>', '"a> ORCPT=rfc822;x"@x.org', {}],
    ['<"a\\"@evil.org>"@x.org>', '"a\\"@evil.org>"@x.org', {}],
    ['<@relay.org,@b.org:a@x.org>', 'a@x.org', {}],
    ['<jörg@bücher.example> smtputf8', 'jörg@bücher.example', { SMTPUTF8: '' }],
    ['<a@x.org>  BODY=8BITMIME   ENVID=a+2Bb ', 'a@x.org', { BODY: '8BITMIME', ENVID: 'a+2Bb' }],
  ])('%s', (argument, address, parameters) => {
    expect(parsePath(argument)).toEqual({ address, parameters });
  });

  test.each([
    ...['', 'a@x.org', '<a@x.org', '<a@x.org>SIZE=1', '<a b@x.org>', '<a@x.org> SIZE=1 size=2', '<a@x.org> =1'],
    ...[
      '<a@b@x.org>',
      '<"a"b@x.org>',
      '<a@x.org>>',
      '<<a@x.org>',
      '<a@x.org,b@x.org>',
      '<a@x(c).org>',
      '<a@>',
      '<@x.org>',
    ],
  ])('%s is refused', (argument) => {
    expect(parsePath(argument)).toBeNull();
  });

  test('takes time in proportion to its length', async () => {
    for (const text of ['<"', '<"\\', '<@', '<a@', '<a@x.org> ', '<a@x.org> A=']) {
      const time = await cpuTimeOf(() => {
        parsePath(text + 'a@,'.repeat(30_000));
        parsePath(text + ' '.repeat(100_000));
      });
      expect(time).toBeLessThan(1000);
    }
  });

  // White space beyond ASCII is text like any other (RFC 6531, section 3.3).
  test('an address it accepts has no ASCII white space and no angle bracket outside of quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const path = parsePath(`<${text}>`);
        if (path !== null) expect(path.address.replace(/"(?:[^"\\]|\\.)*"/gs, '')).not.toMatch(/[<> \t-\r]/);
      }),
      { examples: [['\u00a0']] },
    );
  });
});

test.each([
  ['0 LAST', { size: 0, last: true }],
  ['86', { size: 86, last: false }],
  ['86 last', { size: 86, last: true }],
  ['', null],
  ['-1', null],
  ['1 LAST LAST', null],
  ['1e3', null],
  ['9999999999999999', null],
])('BDAT %s', (argument, chunk) => {
  expect(parseChunkSize(argument)).toEqual(chunk);
});

test('control characters are C0 without the tab, and DEL', () => {
  const found = Array.from({ length: 256 }, (_, code) => code).filter((code) =>
    hasControlCharacter(String.fromCharCode(code)),
  );
  expect(found).toEqual([...Array(9).keys(), ...Array.from({ length: 22 }, (_, i) => i + 10), 127]);
});
