import { AddressSyntaxError, addressKey, type Mailbox, parseMailbox } from '../../model/address.ts';
import { ConfigurationError } from '../../model/errors.ts';

/** Where mail may go; one of the two must be given. */
export interface RedirectOptions {
  /** Gets the mail of recipients that are not allowed; without it, their mail is held back and they become `failed` with the code `cancelled`. */
  readonly to?: string;
  /** Addresses and domains (`example.com` or `@example.com`, without subdomains) that get their mail as usual. */
  readonly allow?: readonly string[];
}

/** {@link RedirectOptions}, parsed. */
export interface RedirectRules {
  readonly target: Mailbox | null;
  readonly addresses: ReadonlySet<string>;
  readonly domains: ReadonlySet<string>;
}

/** @throws {ConfigurationError} `invalid-option`, `missing-option` */
export function readRules({ to, allow = [] }: RedirectOptions): RedirectRules {
  if (to === undefined && allow.length === 0) {
    throw new ConfigurationError(
      'missing-option',
      'redirect needs an address to redirect to, or a list of what to allow',
    );
  }
  const target = to === undefined ? null : readMailbox(to);
  const addresses = allow.filter(isAddress).map((address) => addressKey(readMailbox(address)));
  const domains = allow.filter((entry) => !isAddress(entry)).map(readDomain);
  return {
    target,
    addresses: new Set(target === null ? addresses : [...addresses, addressKey(target)]),
    domains: new Set(domains),
  };
}

function isAddress(entry: string): boolean {
  return entry.includes('@', 1) && !entry.includes('*');
}

function readDomain(entry: string): string {
  if (entry.includes('*')) {
    throw new ConfigurationError('invalid-option', `'${entry}' has a '*': write @example.com for all of a domain`);
  }
  // The address parser checks domains, including Unicode ones.
  const key = addressKey(readMailbox(`postmaster@${entry.replace(/^@/, '')}`));
  return key.slice(key.lastIndexOf('@') + 1);
}

function readMailbox(text: string): Mailbox {
  try {
    return parseMailbox(text);
  } catch (cause) {
    if (!(cause instanceof AddressSyntaxError)) throw cause;
    throw new ConfigurationError('invalid-option', `'${text}' is no address or domain: ${cause.message}`, { cause });
  }
}

/** Whether a mailbox gets its mail as usual. */
export function isAllowed({ addresses, domains }: RedirectRules, mailbox: Mailbox): boolean {
  const key = addressKey(mailbox);
  return addresses.has(key) || domains.has(key.slice(key.lastIndexOf('@') + 1));
}
