import { readTags } from './dkim-key.ts';
import type { Dns } from './dns.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** A DMARC record and the domain that publishes it. */
interface Found {
  readonly domain: string;
  readonly record: string;
}

const POLICIES: readonly string[] = ['none', 'quarantine', 'reject'];
/** Longer names lose labels on the left (RFC 9989, section 4.10). */
const MAX_LABELS = 8;
const EXAMPLE = '"v=DMARC1; p=none; rua=mailto:dmarc@your-domain.example"';

/** Checks the policy for mail that passes neither SPF nor DKIM. @throws {DnsError} */
export async function checkDmarc(domain: string, dns: Dns): Promise<readonly Finding[]> {
  const found = await findRecord(domain, dns);
  if (found === null) {
    return [
      warning(
        'dmarc',
        `neither ${domain} nor a domain above it has a DMARC record: Gmail, Yahoo and Outlook refuse bulk mail without one`,
        `publish a TXT record at _dmarc.${domain}, to begin with ${EXAMPLE}`,
      ),
    ];
  }
  if ('records' in found) {
    const text = `_dmarc.${found.domain} has ${found.records} DMARC records, so that receivers use none`;
    return [fault('dmarc', text, 'leave one')];
  }
  return judge(domain, found);
}

/** The record of the domain, or else of its organisation, found by walking up the tree (RFC 9989, section 4.10). */
async function findRecord(domain: string, dns: Dns): Promise<Found | { domain: string; records: number } | null> {
  const labels = domain.split('.');
  const above = labels.slice(1).slice(-(MAX_LABELS - 1));
  const names = [domain, ...above.map((_, at) => above.slice(at).join('.'))];
  let best: Found | null = null;
  for (const name of names) {
    const records = (await dns.txt(`_dmarc.${name}`)).filter((text) => /^v\s*=\s*DMARC1\s*(?:;|$)/.test(text));
    const [record] = records;
    if (records.length > 1) {
      if (name === domain) return { domain: name, records: records.length };
      continue;
    }
    if (record === undefined) continue;
    const publicSuffix = readTags(record)?.get('psd');
    if (publicSuffix === 'y' && best !== null) break; // the domain below is the organisation's
    best = { domain: name, record };
    if (name === domain || publicSuffix !== undefined) break;
  }
  return best;
}

function judge(domain: string, { domain: owner, record }: Found): readonly Finding[] {
  const where = `_dmarc.${owner}`;
  const tags = readTags(record);
  if (tags === null) return [fault('dmarc', `${where} is no list of tags: ${record}`, `write it as ${EXAMPLE}`)];
  const isOwn = owner === domain;
  const name = !isOwn && tags.has('sp') ? 'sp' : 'p';
  const policy = tags.get(name)?.toLowerCase();
  if (policy === undefined || !POLICIES.includes(policy)) {
    const text = `${where} has ${policy === undefined ? `no ${name}=` : `${name}=${policy}`}: receivers take it for p=none, or for nothing`;
    return [fault('dmarc', text, `give ${name}= one of ${POLICIES.join(', ')}`)];
  }
  const wrong = ['sp', 'np']
    .filter((tag) => tag !== name && tags.has(tag) && !POLICIES.includes(tags.get(tag)?.toLowerCase() ?? ''))
    .concat(['adkim', 'aspf'].filter((tag) => tags.has(tag) && !/^[rs]$/i.test(tags.get(tag) ?? '')))
    .concat(['rua', 'ruf'].filter((tag) => tags.has(tag) && !isUriList(tags.get(tag) ?? '')));
  const findings = wrong.map((tag) =>
    warning(
      'dmarc',
      `${where} has ${tag}=${tags.get(tag)}, which receivers ignore`,
      FIXES[tag] ?? `use one of ${POLICIES.join(', ')}`,
    ),
  );
  if (policy === 'none') {
    const text = `${where} asks for nothing (${name}=none): mail that others send in your name arrives`;
    findings.push(
      warning('dmarc', text, 'when the reports show that your own mail passes, go on to p=quarantine and p=reject'),
    );
  }
  if (!tags.has('rua')) {
    findings.push(
      warning(
        'dmarc',
        `${where} has no rua=: you get no reports of what fails`,
        'add rua=mailto:dmarc@your-domain.example',
      ),
    );
  }
  const found = isOwn ? record : `${record} (of ${owner}, as ${domain} has none of its own)`;
  return [ok('dmarc', found), ok('dmarc', alignment(domain, tags)), ...findings];
}

const FIXES: Readonly<Record<string, string>> = {
  adkim: 'use r (relaxed) or s (strict)',
  aspf: 'use r (relaxed) or s (strict)',
  rua: 'write addresses as mailto:dmarc@your-domain.example',
  ruf: 'write addresses as mailto:dmarc@your-domain.example',
};

function alignment(domain: string, tags: ReadonlyMap<string, string>): string {
  const of = (tag: string): string =>
    tags.get(tag)?.toLowerCase() === 's' ? `exactly ${domain}` : `${domain} or a domain of the same organisation`;
  return `a mail passes when it is signed with d= ${of('adkim')}, or SPF passes and its envelope sender is at ${of('aspf')}`;
}

function isUriList(value: string): boolean {
  return value.split(',').every((uri) => /^\s*mailto:[^\s@,]+@[^\s@,!]+(?:![0-9]+[kmgt]?)?\s*$/i.test(uri));
}
