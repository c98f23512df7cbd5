import type { Dns } from './dns.ts';
import { type Finding, fault, ok, warning } from './finding.ts';
import { isSpf, readSpf, type SpfTerm } from './spf-record.ts';

/** The lookups after which receivers give up, and the empty answers (RFC 7208, section 4.6.4). */
const MAX_LOOKUPS = 10;
const MAX_VOID = 2;
/** Lookups after which this check gives up, too. */
const GIVE_UP = 3 * MAX_LOOKUPS;

/** Faults of a record that are listed one by one. */
const MAX_LISTED = 10;

const NEEDS_NO_LOOKUP: ReadonlySet<string> = new Set(['ip4', 'ip6', 'exp']);

/** Checks who may send in a domain's name. @throws {DnsError} */
export async function checkSpf(domain: string, dns: Dns): Promise<readonly Finding[]> {
  const texts = await dns.txt(domain);
  const records = texts.filter(isSpf);
  const [record] = records;
  if (record === undefined) {
    const near = texts.find((text) => /^\W*(?:v\W*)?spf/i.test(text));
    return [
      fault(
        'spf',
        near === undefined
          ? `${domain} has no SPF record`
          : `${domain} has no SPF record, only what looks like one: ${near}`,
        `publish one TXT record at ${domain} that begins with "v=spf1 ", such as "v=spf1 include:spf.your-provider.example ~all"; your provider says what to include`,
      ),
    ];
  }
  if (records.length > 1) {
    const text = `${domain} has ${records.length} SPF records, so that receivers use none: ${records.join(' | ')}`;
    return [fault('spf', text, 'join them into one: the mechanisms of all, and one "all" at the end')];
  }
  const walk = new SpfWalk(dns);
  await walk.visit(domain, record, [domain.toLowerCase()], true);
  const findings = [...walk.findings, ...walk.limits(), ...judgeEnd(walk.end)];
  if (findings.some(({ level }) => level === 'error')) return findings;
  return [ok('spf', `${record} (${walk.lookups} of ${MAX_LOOKUPS} lookups)`), ...findings];
}

/** Walks through a record and everything it includes. */
class SpfWalk {
  readonly findings: Finding[] = [];
  lookups = 0;
  /** The qualifier of the final `all`, after any redirect; null when there is none. */
  end: SpfTerm['qualifier'] | null = null;
  #voids = 0;
  readonly #dns: Dns;

  constructor(dns: Dns) {
    this.#dns = dns;
  }

  /** @param decides whether this record's `all` is the one that counts */
  async visit(domain: string, record: string, path: readonly string[], decides: boolean): Promise<void> {
    const { terms, faults } = readSpf(record);
    for (const text of faults.slice(0, MAX_LISTED)) {
      this.#fault(
        `the SPF record of ${domain} has "${text}", which is no SPF: receivers drop the whole record`,
        'correct it',
      );
    }
    if (faults.length > MAX_LISTED)
      this.#fault(`the SPF record of ${domain} has ${faults.length - MAX_LISTED} more such faults`, 'correct them');
    for (const text of record.match(/(?<=\s)(?:all|include|a|mx|ptr|ip4|ip6|exists)=\S*/gi) ?? []) {
      const message = `the SPF record of ${domain} has "${text}", which receivers ignore`;
      this.findings.push(warning('spf', message, `write ${text.replace('=', ':')}`));
    }
    const all = terms.findIndex(({ name }) => name === 'all');
    const unused = all < 0 ? [] : terms.slice(all + 1).filter(({ name }) => name !== 'redirect' && name !== 'exp');
    if (unused.length > 0) {
      const text = `the SPF record of ${domain} has ${unused.map(({ name }) => name).join(', ')} after "all", where receivers never look`;
      this.findings.push(warning('spf', text, 'put "all" at the end'));
    }
    const used = all < 0 ? terms : terms.slice(0, all);
    for (const term of used) if (term.name !== 'redirect') await this.#follow(term, domain, path, false);
    if (all >= 0) {
      if (decides) this.end = terms[all]?.qualifier ?? null;
      return;
    }
    const redirect = used.find(({ name }) => name === 'redirect');
    if (redirect) await this.#follow(redirect, domain, path, decides);
  }

  limits(): readonly Finding[] {
    const findings: Finding[] = [];
    if (this.lookups > MAX_LOOKUPS) {
      const count = this.lookups >= GIVE_UP ? `${GIVE_UP} or more` : this.lookups;
      findings.push(
        fault(
          'spf',
          `the SPF record needs ${count} lookups; receivers stop after ${MAX_LOOKUPS} and drop it (RFC 7208, section 4.6.4)`,
          'remove providers that you no longer use, a, mx and ptr, or replace includes by ip4: and ip6:',
        ),
      );
    }
    if (this.#voids > MAX_VOID) {
      const text = `${this.#voids} names in the SPF record have no records; receivers may drop it after ${MAX_VOID} of them`;
      findings.push(warning('spf', text, 'remove the mechanisms that lead nowhere'));
    }
    return findings;
  }

  async #follow(
    { name, qualifier, domain }: SpfTerm,
    own: string,
    path: readonly string[],
    decides: boolean,
  ): Promise<void> {
    if (NEEDS_NO_LOOKUP.has(name) || this.lookups >= GIVE_UP) return;
    this.lookups++;
    if (name === 'ptr') {
      const text = `the SPF record of ${own} has ptr, which is slow and no longer to be used (RFC 7208, section 5.5)`;
      this.findings.push(warning('spf', text, 'name the servers by a:, ip4: or ip6: instead'));
      return;
    }
    const target = domain ?? own;
    if (target.includes('%')) return; // depends on the mail
    if (name === 'include' || name === 'redirect') await this.#enter(name, qualifier, target, path, decides);
    else {
      const records = await (name === 'mx' ? this.#dns.mx(target) : this.#dns.addresses(target));
      if (records.length === 0) this.#voids++;
    }
  }

  async #enter(
    name: 'include' | 'redirect',
    qualifier: SpfTerm['qualifier'],
    target: string,
    path: readonly string[],
    decides: boolean,
  ): Promise<void> {
    const key = target.toLowerCase();
    const through = `${name} of ${target}`;
    if (path.includes(key)) {
      this.#fault(`the SPF record leads back to ${target}: ${[...path, key].join(' -> ')}`, `remove the ${through}`);
      return;
    }
    const texts = await this.#dns.txt(target);
    if (texts.length === 0) this.#voids++;
    const [record, second] = texts.filter(isSpf);
    if (record === undefined || second !== undefined) {
      const what = record === undefined ? 'has no SPF record' : 'has more than one SPF record';
      this.#fault(`${target} ${what}: the ${through} makes receivers drop yours`, 'remove it, or ask its owner');
      return;
    }
    await this.visit(target, record, [...path, key], decides);
    if (qualifier === '-') {
      const text = `the include of ${target} is negative: it forbids its servers`;
      this.findings.push(warning('spf', text, 'write include: without a sign'));
    }
  }

  #fault(message: string, fix: string): void {
    this.findings.push(fault('spf', message, fix));
  }
}

function judgeEnd(end: SpfTerm['qualifier'] | null): readonly Finding[] {
  const fix = 'end the record with "~all", or "-all" when it names every server';
  if (end === '+') return [fault('spf', 'the SPF record ends with "+all": anybody may send in your name', fix)];
  if (end === '-' || end === '~') return [];
  const text = end === null ? 'has no "all"' : 'ends with "?all"';
  return [warning('spf', `the SPF record ${text}: it says nothing of servers that it does not name`, fix)];
}
