import { Resolver } from 'node:dns/promises';
import { UsageError } from '../failure.ts';

/** The name server did not answer, so that nothing is known about the name. */
export class DnsError extends Error {
  /** Node's code: `ETIMEOUT`, `ESERVFAIL`, `ECONNREFUSED`... */
  readonly code: string;

  constructor(name: string, code: string, options: ErrorOptions) {
    super(`the name server does not answer for ${name} (${code})`, options);
    this.code = code;
  }
}

/** Looks up the records of a name; the list is empty when it has none. @throws {DnsError} */
export interface Dns {
  /** The strings of each record, joined. */
  txt(name: string): Promise<readonly string[]>;
  /** The hosts, the most preferred first; '' is the null MX (RFC 7505). */
  mx(name: string): Promise<readonly string[]>;
  /** IPv4 and IPv6. */
  addresses(name: string): Promise<readonly string[]>;
}

const TIMEOUT_MS = 4000;

/** Queries the system's name servers, or `server`: an IP address with or without a port. @throws {UsageError} */
export function dnsOf(server: string | undefined): Dns {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 });
  if (server !== undefined) {
    try {
      resolver.setServers([server]);
    } catch {
      throw new UsageError(
        `--resolver must be an IP address with or without a port, such as 1.1.1.1:53, got ${server}`,
      );
    }
  }
  return {
    txt: (name) =>
      recordsOf(name, resolver.resolveTxt(name)).then((records) => records.map((strings) => strings.join(''))),
    mx: async (name) => {
      const records = await recordsOf(name, resolver.resolveMx(name));
      return records.sort((a, b) => a.priority - b.priority).map(({ exchange }) => exchange);
    },
    addresses: async (name) => {
      const [v4, v6] = await Promise.all([
        recordsOf(name, resolver.resolve4(name)),
        recordsOf(name, resolver.resolve6(name)),
      ]);
      return [...v4, ...v6];
    },
  };
}

async function recordsOf<T>(name: string, answer: Promise<T[]>): Promise<T[]> {
  try {
    return await answer;
  } catch (cause) {
    const { code = 'EUNKNOWN' } = cause as NodeJS.ErrnoException; // any error may have one
    if (code === 'ENODATA' || code === 'ENOTFOUND' || code === 'EBADNAME') return [];
    throw new DnsError(name, code, { cause });
  }
}
