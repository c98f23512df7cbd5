import { describe, expect, test } from 'vitest';
import { readTags } from '../../src/cli/check/dkim-key.ts';
import { readSpf } from '../../src/cli/check/spf-record.ts';
import { cpuTimeOf } from '../cpu-time.ts';
import { fc } from '../properties.ts';

const RIGHT = [
  ...[
    'all',
    '-all',
    '~ALL',
    '?all',
    'a',
    'a/24',
    'a//64',
    'a/24//64',
    'a:example.com',
    'a:example.com/24//64',
    'mx',
    'MX/28',
  ],
  ...['mx:mail.example.com.', 'ptr', 'ptr:example.com', 'include:_spf.example.com', '+include:a-b.example.com'],
  ...['ip4:192.0.2.1', 'ip4:192.0.2.0/24', 'ip4:0.0.0.0/0', 'ip6:2001:db8::1', 'ip6:2001:db8::/32', 'ip6:::1/128'],
  ...[
    'exists:%{i}.spf.%{d}',
    'exists:%{ir}.%{v}._spf.%{d2}',
    'include:%{d}',
    'a:%{l1r-}.example.com',
    'exists:a%%b%_c.example.com',
  ],
  ...[
    'redirect=_spf.example.com',
    'redirect=%{d}',
    'exp=why.example.com',
    'ra=postmaster',
    'x-y.z=1/2',
    'a:a/b.example.com',
  ],
];

const WRONG = [
  ...['al', 'all:example.com', 'all/24', 'include', 'include:', 'include:localhost', 'include:example.com/24'],
  ...[
    'a:',
    'a/33',
    'a//129',
    'a/24/24',
    'mx:',
    'mx:-',
    'exists',
    'ip4',
    'ip4:',
    'ip4:1.2.3',
    'ip4:1.2.3.4/33',
    'ip4:2001:db8::1',
  ],
  ...[
    'ip6:1.2.3.4',
    'ip6:2001:db8::/129',
    'ip6:xyz::',
    'redirect:example.com',
    '-redirect=example.com',
    'redirect=',
    'exp=',
  ],
  ...[
    'exists:%{x}.example.com',
    'a:%example.com',
    'a:example.123',
    '192.0.2.1',
    '=x',
    '--all',
    'a:exa\u00e4mple.com',
    '!',
  ],
];

describe('an SPF term', () => {
  test.each(RIGHT)('%s is one', (term) => {
    expect(readSpf(`v=spf1 ${term}`).faults).toEqual([]);
  });

  test.each(WRONG)('%s is none', (term) => {
    expect(readSpf(`v=spf1 ${term} -all`).faults).toEqual([term]);
  });

  test('that may stand once is wrong the second time', () => {
    const { faults } = readSpf(
      'v=spf1 redirect=a.example.com redirect=b.example.com exp=c.example.com exp=d.example.com',
    );
    expect(faults).toEqual(['redirect=b.example.com', 'exp=d.example.com']);
  });
});

test('whatever a record says, each of its words is a term, of no account, or a fault', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom(...RIGHT, ...WRONG))), (words) => {
      const { terms, faults } = readSpf(`v=spf1 ${words.join(' ')}`);
      const count = words
        .join(' ')
        .split(' ')
        .filter((word) => word !== '').length;
      expect(terms.length + faults.length).toBeLessThanOrEqual(count);
    }),
  );
});

test.each(['a:', 'a:/', 'exists:%{', 'a/2', 'ip6::', 'x='])(
  'a term of 100,000 octets is read at once: %s',
  async (start) => {
    const time = await cpuTimeOf(() => readSpf(`v=spf1 ${start.padEnd(100_000, start.slice(-2))}`));
    expect(time).toBeLessThan(3000);
  },
);

describe('a list of tags', () => {
  test.each<[string, Record<string, string> | null]>([
    ['v=DMARC1; p=none', { v: 'DMARC1', p: 'none' }],
    [' v = DKIM1 ;\tk=rsa; p=a b=c; ', { v: 'DKIM1', k: 'rsa', p: 'a b=c' }],
    ['p=', { p: '' }],
    ['', {}],
    ['p', null],
    ['p=1;;q=2', null],
    ['p=1; p=2', null],
    ['=1', null],
    ['1p=1', null],
  ])('%s', (record, expected) => {
    const tags = readTags(record);
    expect(tags && Object.fromEntries(tags)).toEqual(expected);
  });
});
