import { isAddressLiteral } from '../../model/domain.ts';

/** One mechanism of an SPF record, or its `redirect`. */
export interface SpfTerm {
  /** In lower case: `include`, `a`, `all`, `redirect`... */
  readonly name: string;
  readonly qualifier: '+' | '-' | '~' | '?';
  /** The domain after `:` or `=`; null for the record's own. */
  readonly domain: string | null;
}

/** A parsed SPF record (RFC 7208, sections 4.6 and 12). */
export interface SpfRecord {
  readonly terms: readonly SpfTerm[];
  /** The terms that are not valid, as written; one is enough for receivers to ignore the whole record. */
  readonly faults: readonly string[];
}

const TERM =
  /^([-+~?]?)([A-Za-z][A-Za-z0-9_.-]*)(?:([:=])([^/]*(?:\/(?![\d/])[^/]*)*))?((?:\/\d{1,3})?(?:\/\/\d{1,3})?)$/;
const MACRO = /%%|%_|%-|%\{[slodiphcrtv]\d*r?[-.+,/_=]*\}/gi;
/** A domain without its macros: visible ASCII that ends in a dot and a label that is not a number. */
const DOMAIN = /^[!-$&-~]*$/;
const TOP_LABEL = /\.(?=[a-z0-9-]*[a-z-])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?$/i;
/** What may follow each mechanism. */
const SHAPES: Readonly<
  Record<string, { readonly domain: 'needed' | 'possible' | 'none'; readonly hasLength: boolean }>
> = {
  all: { domain: 'none', hasLength: false },
  include: { domain: 'needed', hasLength: false },
  a: { domain: 'possible', hasLength: true },
  mx: { domain: 'possible', hasLength: true },
  ptr: { domain: 'possible', hasLength: false },
  exists: { domain: 'needed', hasLength: false },
};

/** Whether a TXT record is an SPF record (RFC 7208, section 4.5). */
export function isSpf(record: string): boolean {
  return /^v=spf1(?: |$)/i.test(record);
}

/** Parses a record for which {@link isSpf} is true. */
export function readSpf(record: string): SpfRecord {
  const terms: SpfTerm[] = [];
  const faults: string[] = [];
  const modifiers = new Set<string>();
  for (const text of record.split(' ').slice(1)) {
    if (text === '') continue;
    const term = readTerm(text);
    const isModifier = term?.name === 'redirect' || term?.name === 'exp';
    if (term === null || (isModifier && modifiers.has(term.name))) faults.push(text);
    else if (term.name !== '') terms.push(term);
    if (isModifier) modifiers.add(term.name);
  }
  return { terms, faults };
}

/** Parses a term: null when it is not valid, {@link IGNORED} for an unknown modifier. */
function readTerm(text: string): SpfTerm | null {
  const [, sign = '', rawName = '', separator, domain = null, length = ''] = TERM.exec(text) ?? [];
  const name = rawName.toLowerCase();
  const qualifier = (sign || '+') as SpfTerm['qualifier']; // all that the pattern matches
  if (separator === '=') {
    if (sign !== '' || length !== '') return name === 'redirect' || name === 'exp' || sign !== '' ? null : IGNORED;
    if (name === 'redirect' || name === 'exp') return isDomainSpec(domain) ? { name, qualifier, domain } : null;
    return IGNORED; // an unknown modifier is ignored (RFC 7208, section 6)
  }
  if (name === 'ip4' || name === 'ip6') {
    return isNetwork(name, `${domain ?? ''}${length}`) ? { name, qualifier, domain } : null;
  }
  const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
  if (shape === undefined) return null;
  if ((shape.domain === 'none' && domain !== null) || (shape.domain === 'needed' && domain === null)) return null;
  if ((domain !== null && !isDomainSpec(domain)) || (length !== '' && !shape.hasLength)) return null;
  const [v4 = '', v6 = ''] = length.split('//');
  if (Number(v4.slice(1)) > 32 || Number(v6) > 128) return null;
  return { name, qualifier, domain };
}

const IGNORED: SpfTerm = { name: '', qualifier: '+', domain: null };

function isDomainSpec(text: string | null): boolean {
  if (text === null || text === '') return false;
  const plain = text.replace(MACRO, '');
  return DOMAIN.test(plain) && (TOP_LABEL.test(text) || /\}$/.test(text));
}

function isNetwork(name: 'ip4' | 'ip6', text: string): boolean {
  const [, address = '', length = '0'] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = ipVersion(address);
  return name === 'ip4' ? version === 4 && Number(length) <= 32 : version === 6 && Number(length) <= 128;
}

/** 4 or 6 for an IP address, 0 for anything else. */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (isAddressLiteral(`IPv6:${text}`)) return 6;
  return isAddressLiteral(text) && !/^ipv6/i.test(text) ? 4 : 0;
}
