import { generateKeyPairSync } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { dmarc } from 'mailauth/lib/dmarc/index.js';
import { spf } from 'mailauth/lib/spf/index.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dnsOf } from '../../src/cli/check/dns.ts';
import { checkDomain } from '../../src/cli/check/domain.ts';
import type { Area, Finding } from '../../src/cli/check/finding.ts';
import { DnsServer, type Records } from '../servers/dns.ts';

const RSA_2048 = rsaKey(2048);
const RSA_1024 = rsaKey(1024);
const RSA_768 = rsaKey(768);
const ED25519 = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);

function rsaKey(modulusLength: number, type: 'spki' | 'pkcs1' = 'spki'): string {
  return generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'der', type }).toString('base64');
}

const MANY = Object.fromEntries(
  Array.from({ length: 11 }, (_, at): [string, Records] => [`p${at}.spf.test`, { TXT: ['v=spf1 ip4:192.0.2.1 -all'] }]),
);

/** Each includes the next one. */
const DEEP = Object.fromEntries(
  Array.from({ length: 50 }, (_, at): [string, Records] => [
    `deep${at}.test`,
    { TXT: [`v=spf1 include:deep${at + 1}.test a:v${at}.test -all`] },
  ]),
);

/** Each SPF record is at a domain of its own; a list is several records. */
const SPF: Readonly<Record<string, string | readonly string[]>> = {
  'good.test': 'v=spf1 mx a:mail.good.test include:p0.spf.test ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all',
  'short.test': 'V=SPF1 -ALL',
  'macro.test': 'v=spf1 exists:%{i}._spf.%{d2} exists:%{o} -all exp=why.%{d}',
  'unknown-modifier.test': 'v=spf1 ra=postmaster rp=100 -all',
  'redirected.test': 'v=spf1 redirect=p0.spf.test',
  'none.test': [],
  'near.test': 'spf1 include:p0.spf.test -all',
  'two.test': ['v=spf1 -all', 'v=spf1 ~all'],
  'typo.test': 'v=spf1 includes:p0.spf.test ip4:300.1.2.3 ip4:192.0.2.0/33 a: mx:nodot -all',
  'equals.test': 'v=spf1 include=p0.spf.test -all',
  'open.test': 'v=spf1 +all',
  'neutral.test': 'v=spf1 mx ?all',
  'endless.test': 'v=spf1 mx',
  'behind.test': 'v=spf1 -all include:p0.spf.test ip4:192.0.2.1',
  'loop.test': 'v=spf1 include:loop2.test -all',
  'loop2.test': 'v=spf1 include:loop.test -all',
  'redirect-loop.test': 'v=spf1 redirect=redirect-loop2.test',
  'redirect-loop2.test': 'v=spf1 redirect=redirect-loop.test',
  'redirect-open.test': 'v=spf1 include:short.test redirect=open.test',
  'negative.test': 'v=spf1 -include:p0.spf.test ~all',
  'ptr.test': 'v=spf1 ptr -all',
  'gone.test': 'v=spf1 include:nowhere.test -all',
  'void.test': 'v=spf1 a:v1.test a:v2.test mx:v3.test -all',
  'many.test': `v=spf1 ${Array.from({ length: 11 }, (_, at) => `include:p${at}.spf.test`).join(' ')} -all`,
  'nested.test': 'v=spf1 include:many.test mx -all',
  'servfail.test': 'v=spf1 include:broken.test -all',
};

const KEYS: Readonly<Record<string, string | readonly string[]>> = {
  good: `v=DKIM1; k=rsa; p=${RSA_2048}`,
  bare: `p=${RSA_2048}`,
  pkcs1: `v=DKIM1; p=${rsaKey(2048, 'pkcs1')}`,
  spaced: `v=DKIM1 ; p = ${RSA_2048.replace(/(.{60})/g, '$1 ')} ;`,
  small: `v=DKIM1; p=${RSA_1024}`,
  tiny: `v=DKIM1; p=${RSA_768}`,
  ed: `v=DKIM1; k=ed25519; p=${ED25519.toString('base64')}`,
  testing: `v=DKIM1; t=s:y; p=${RSA_2048}`,
  revoked: 'v=DKIM1; p=',
  cut: `v=DKIM1; p=${RSA_2048.slice(0, 200)}`,
  nokey: 'v=DKIM1; k=rsa',
  version: `v=DKIM2; p=${RSA_2048}`,
  late: `k=rsa; v=DKIM1; p=${RSA_2048}`,
  kind: `v=DKIM1; k=dsa; p=${RSA_2048}`,
  sha1: `v=DKIM1; h=sha1; p=${RSA_2048}`,
  service: `v=DKIM1; s=other; p=${RSA_2048}`,
  words: 'hello',
  twice: [`v=DKIM1; p=${RSA_2048}`, `v=DKIM1; p=${RSA_1024}`],
};

const DMARC: Readonly<Record<string, string | readonly string[]>> = {
  'good.test': 'v=DMARC1; p=reject; rua=mailto:dmarc@good.test,mailto:x@reports.test!10m; adkim=s',
  'none.test': 'v=DMARC1; p=none',
  'nopolicy.test': 'v=DMARC1; rua=mailto:d@nopolicy.test',
  'policy.test': 'v=DMARC1; p=rejekt; rua=mailto:d@policy.test',
  'twice.test': ['v=DMARC1; p=none', 'v=DMARC1; p=reject'],
  'tags.test': 'v=DMARC1; p=reject; sp=never; aspf=x; rua=dmarc@tags.test',
  'list.test': 'v=DMARC1; p',
  'other.test': 'v=DMARC2; p=reject',
  'org.test': 'v=DMARC1; p=reject; sp=quarantine; rua=mailto:d@org.test',
  'suffix.test': 'v=DMARC1; p=reject; psd=y',
  'shop.suffix.test': 'v=DMARC1; p=quarantine; rua=mailto:d@shop.suffix.test',
};

function zone(): Readonly<Record<string, Records>> {
  const named = (records: Readonly<Record<string, string | readonly string[]>>, nameOf: (key: string) => string) =>
    Object.entries(records).map(([key, texts]): [string, Records] => [
      nameOf(key),
      { TXT: typeof texts === 'string' ? [texts] : texts, MX: [[10, 'mail.good.test']] },
    ]);
  return {
    ...MANY,
    ...DEEP,
    ...Object.fromEntries(named(SPF, (name) => name)),
    ...Object.fromEntries(named(KEYS, (name) => `${name}._domainkey.good.test`)),
    ...Object.fromEntries(named(DMARC, (name) => `_dmarc.${name}`)),
    'mail.good.test': { A: ['192.0.2.1'] },
    'broken.test': { fails: true },
    'address.test': { A: ['192.0.2.1'] },
    'null.test': { MX: [[0, '']] },
  };
}

let server: DnsServer;
beforeAll(async () => {
  server = await DnsServer.start(zone());
});
afterAll(() => server.close());

async function findings(area: Area, domain: string, selectors: readonly string[] = []): Promise<readonly Finding[]> {
  const all = await checkDomain(domain, selectors, dnsOf(server.address));
  return all.filter((finding) => finding.area === area);
}

/** `error: text` for each finding. */
function lines(found: readonly Finding[]): string {
  return found.map(({ level, message }) => `${level}: ${message}`).join('\n');
}

describe('SPF', () => {
  test.each([
    ['good.test', /^ok: v=spf1 mx a:mail.*~all \(3 of 10 lookups\)$/],
    ['short.test', /^ok: V=SPF1 -ALL \(0 of 10 lookups\)$/],
    ['macro.test', /^ok: .*\(2 of 10 lookups\)$/],
    ['unknown-modifier.test', /^ok: /],
    ['redirected.test', /^ok: .*\(1 of 10 lookups\)$/],
    ['none.test', /^error: none\.test has no SPF record$/],
    ['near.test', /^error: near\.test has no SPF record, only what looks like one: spf1 include/],
    ['two.test', /^error: two\.test has 2 SPF records/],
    ['equals.test', /^ok: .*\(0 of 10 lookups\)\nwarning: .*"include=p0\.spf\.test", which receivers ignore$/],
    ['open.test', /^error: .*"\+all": anybody/],
    ['neutral.test', /^ok: .*\nwarning: .*"\?all"/],
    ['endless.test', /^ok: .*\nwarning: .*has no "all"/],
    ['behind.test', /^ok: .*\nwarning: .*include, ip4 after "all"/],
    ['loop.test', /^error: .*leads back to loop\.test: loop\.test -> loop2\.test -> loop\.test$/],
    ['redirect-loop.test', /^error: .*leads back to redirect-loop\.test/],
    ['redirect-open.test', /^error: .*"\+all": anybody/],
    ['negative.test', /^ok: .*\nwarning: the include of p0\.spf\.test is negative/],
    ['ptr.test', /^ok: .*\nwarning: .*ptr/],
    ['gone.test', /^error: nowhere\.test has no SPF record: the include of nowhere\.test/],
    ['void.test', /^ok: .*\(3 of 10 lookups\)\nwarning: 3 names/],
    ['many.test', /^error: .*needs 11 lookups/],
    ['nested.test', /^error: .*needs 13 lookups/],
  ])('%s', async (domain, expected) => {
    expect(lines(await findings('spf', domain))).toMatch(expected);
  });

  test('that goes on and on is given up', async () => {
    const before = server.questions.length;
    expect(lines(await findings('spf', 'deep0.test'))).toContain('needs 30 or more lookups');
    expect(server.questions.length - before).toBeLessThan(60);
  });

  test('with terms that are none names each of them', async () => {
    const text = lines(await findings('spf', 'typo.test'));
    for (const term of ['includes:p0.spf.test', 'ip4:300.1.2.3', 'ip4:192.0.2.0/33', 'a:', 'mx:nodot'])
      expect(text).toContain(`error: the SPF record of typo.test has "${term}"`);
  });

  test('behind a name server that fails is out of reach, not wrong', async () => {
    expect(await findings('spf', 'servfail.test')).toEqual([
      expect.objectContaining({ level: 'error', isTemporary: true, message: expect.stringContaining('ESERVFAIL') }),
    ]);
  });
});

/** Asks the same name server for mailauth. */
function judgeResolver(): (name: string, kind: string) => Promise<string[]> {
  const resolver = new Resolver();
  resolver.setServers([server.address]);
  return (name, kind) => resolver.resolve(name, kind) as Promise<string[]>; // or lists of strings, for TXT
}

describe('mailauth, which receives mail, agrees', () => {
  /** It has no opinion on what is allowed and unwise. */
  const UNWISE = new Set(['open.test', 'redirect-open.test']);

  /** A name server that fails is nothing to it. */
  const judged = Object.keys(SPF).filter((domain) => domain !== 'servfail.test');

  test.each(judged)('on SPF of %s', async (domain) => {
    const { status } = await spf({
      sender: `a@${domain}`,
      ip: '203.0.113.9',
      helo: 'client.test',
      mta: 'mx.test',
      resolver: judgeResolver(),
    });
    const found = await findings('spf', domain);
    const isWrong = found.some(({ level }) => level === 'error') && !UNWISE.has(domain);
    const isVoid = found.some(({ message }) => message.includes('have no records'));
    expect(['permerror', 'temperror', 'none'].includes(status.result), status.result).toBe(isWrong || isVoid);
  });

  test.each([...Object.keys(DMARC), 'a.b.org.test'])('on which DMARC record is that of %s', async (domain) => {
    const judged = await dmarc({ headerFrom: domain, spfDomains: [], dkimDomains: [], resolver: judgeResolver() });
    const [first] = await findings('dmarc', domain);
    const isFound = first !== undefined && !/^neither|DMARC records/.test(first.message);
    const record = judged === false ? undefined : judged.rr;
    expect(record !== undefined).toBe(isFound);
    if (first?.level === 'ok') expect(first.message).toContain(record);
  });
});

describe('a DKIM key', () => {
  test.each([
    ['good', /^ok: good\._domainkey\.good\.test has an RSA key of 2048 bits$/],
    ['bare', /^ok: /],
    ['pkcs1', /^ok: .*2048 bits/],
    ['spaced', /^ok: .*2048 bits/],
    ['small', /^warning: .*1024 bits, which is little$/],
    ['ed', /^warning: .*Ed25519 key, which many/],
    ['testing', /^warning: .*t=y/],
    ['revoked', /^error: .*revoked/],
    ['tiny', /^error: .*has only 768 bits/],
    ['cut', /^error: .*cannot be read as rsa$/],
    ['nokey', /^error: .*has no p=$/],
    ['version', /^error: .*v=DKIM2/],
    ['late', /^error: .*not in the first place/],
    ['kind', /^error: .*k=dsa/],
    ['sha1', /^error: .*no sha256/],
    ['service', /^error: .*not for mail/],
    ['words', /^error: .*no list of tags/],
    ['twice', /^error: .*2 records/],
    ['missing', /^error: missing\._domainkey\.good\.test has no key$/],
  ])('%s', async (selector, expected) => {
    expect(lines(await findings('dkim', 'good.test', [selector]))).toMatch(expected);
  });

  test('is asked for when there is no selector, and each of several is looked at', async () => {
    expect(lines(await findings('dkim', 'good.test'))).toMatch(/^warning: no selector/);
    expect(await findings('dkim', 'good.test', ['good', 'revoked'])).toHaveLength(2);
  });
});

describe('DMARC', () => {
  test.each([
    ['good.test', /^ok: v=DMARC1; p=reject.*\nok: .*d= exactly good\.test, or SPF .* at good\.test or a domain of/],
    ['none.test', /^ok: .*\nok: .*\nwarning: .*p=none.*\nwarning: .*no rua=/],
    ['nopolicy.test', /^error: .*has no p=/],
    ['policy.test', /^error: .*p=rejekt/],
    ['twice.test', /^error: .*2 DMARC records/],
    ['tags.test', /\nwarning: .*sp=never.*\nwarning: .*aspf=x.*\nwarning: .*rua=dmarc@tags\.test/],
    ['list.test', /^error: .*no list of tags/],
    ['other.test', /^warning: neither other\.test nor/],
    ['a.b.org.test', /^ok: .*\(of org\.test, as a\.b\.org\.test has none/],
    ['news.shop.suffix.test', /^ok: .*\(of shop\.suffix\.test/],
    ['a.b.c.d.e.f.g.h.i.j.org.test', /^ok: .*\(of org\.test/],
  ])('%s', async (domain, expected) => {
    expect(lines(await findings('dmarc', domain))).toMatch(expected);
  });

  test('of the organisation judges by what it asks for its subdomains', async () => {
    expect((await findings('dmarc', 'a.b.org.test')).map(({ level }) => level)).toEqual(['ok', 'ok']);
  });
});

describe('the way back', () => {
  test.each([
    ['good.test', /^ok: mail for good\.test goes to mail\.good\.test$/],
    ['address.test', /^ok: address\.test has no MX/],
    ['null.test', /^warning: .*null MX/],
    ['nobody.test', /^error: nobody\.test has neither MX nor address/],
    ['broken.test', /^error: .*ESERVFAIL/],
  ])('%s', async (domain, expected) => {
    expect(lines(await findings('sender', domain))).toMatch(expected);
  });
});
