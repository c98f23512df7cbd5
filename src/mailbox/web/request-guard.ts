import type { IncomingMessage } from 'node:http';

/**
 * Why a request is refused, or null: an unknown Host may be DNS rebinding, and another origin is another page in the same
 * browser, which must neither read nor delete mails.
 *
 * Programs other than browsers send neither Sec-Fetch-Site nor Origin and are allowed.
 */
export function refusal(request: IncomingMessage, hosts: ReadonlySet<string>): string | null {
  const { host } = request.headers;
  if (host === undefined || !hosts.has(host.toLowerCase())) {
    return `the Host ${host ?? '(none)'} is not this mailbox: add it to allowedHosts if it is meant to be`;
  }
  const { method = 'GET', headers } = request;
  const asked = { method, host, isPage: pathOf(request) === '/', header: (name: string) => headers[name]?.toString() };
  return isForeign(asked) ? 'a page of another origin asked for this' : null;
}

/** What tells who asks. */
export interface Asked {
  readonly method: string;
  readonly host: string;
  /** Whether it is for the page itself, to which others may link. */
  readonly isPage: boolean;
  header(name: 'origin' | 'sec-fetch-site' | 'sec-fetch-mode' | 'sec-fetch-dest'): string | null | undefined;
}

/** Whether a page of another origin asks, in the same browser (Fetch Metadata, W3C; Origin, RFC 6454). */
export function isForeign({ method, host, isPage, header }: Asked): boolean {
  const [site, origin] = [header('sec-fetch-site') ?? undefined, header('origin') ?? undefined];
  const isReading = method === 'GET' || method === 'HEAD';
  if (site === 'same-origin' || (site === 'none' && isReading)) return false;
  if (site === undefined) {
    return !(origin === undefined || (URL.canParse(origin) && new URL(origin).host === host.toLowerCase()));
  }
  const isLink = header('sec-fetch-mode') === 'navigate' && header('sec-fetch-dest') === 'document';
  return !(isReading && isLink && isPage);
}

/** The Host values of this server. */
export function ownHosts(host: string, port: number, allowed: readonly string[]): ReadonlySet<string> {
  const names = ['localhost', '127.0.0.1', '[::1]', host.includes(':') ? `[${host}]` : host, ...allowed];
  const isName = (name: string): boolean => name !== '0.0.0.0' && name !== '[::]';
  return new Set(
    names
      .filter(isName)
      .map((name) => name.toLowerCase())
      .flatMap((name) => (port === 80 || /[^\]]:\d+$/.test(name) ? [name, `${name}:${port}`] : [`${name}:${port}`])),
  );
}

/** The path of a request, without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}
