import { expect, test } from 'vitest';
import { checkDkimKey } from '../../src/cli/check/dkim-key.ts';
import { checkDmarc } from '../../src/cli/check/dmarc.ts';
import type { Dns } from '../../src/cli/check/dns.ts';
import { checkSpf } from '../../src/cli/check/spf.ts';

const dnsOf = (record: string): Dns => ({
  txt: async () => [record],
  mx: async () => [],
  addresses: async () => ['192.0.2.1'],
});

// What is read again from each of its characters would take minutes: real records have 65,535 octets at most.
const LENGTH = 1_000_000;

test.each([
  ['no SPF', '-'.repeat(LENGTH)],
  ['no SPF, nearly', `${'-'.repeat(LENGTH)}v${'-'.repeat(LENGTH)}sp`],
  ['one long word', `v=spf1 ${'a'.repeat(LENGTH)}`],
  ['one long name', `v=spf1 include:${'a.'.repeat(LENGTH / 2)}`],
  ['one long macro', `v=spf1 include:%{d${'1'.repeat(LENGTH)}`],
  ['blanks', `v=spf1${' '.repeat(LENGTH)}-all`],
  ['white space in DMARC', `v=DMARC1; p=none; rua=mailto:${' '.repeat(LENGTH)}x`],
])('a record is read once, however long: %s', async (_, record) => {
  for (const check of [checkSpf, checkDmarc, (name: string, dns: Dns) => checkDkimKey(name, 'k', dns)])
    expect((await check('x.test', dnsOf(record))).length).toBeGreaterThan(0);
});

test('a record of nothing but faults is told in a few lines', async () => {
  const findings = await checkSpf('x.test', dnsOf(`v=spf1 ${'x '.repeat(30_000)}`));
  expect(findings.length).toBeLessThan(20);
  expect(findings.map(({ message }) => message)).toContain('the SPF record of x.test has 29990 more such faults');
});
