import type { IncomingMessage } from 'node:http';

/**
 * Why a request is refused, or null: an unknown Host may be DNS rebinding, and another origin is another page in the same
 * browser, which must neither read nor delete mails.
 *
 * Programs other than browsers send neither Sec-Fetch-Site nor Origin and are allowed.
 */
export function refusal(request: IncomingMessage, hosts: ReadonlySet<string>): string | null {
  const { host, origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest } = request.headers;
  if (host === undefined || !hosts.has(host.toLowerCase())) {
    return `the Host ${host ?? '(none)'} is not this mailbox: add it to allowedHosts if it is meant to be`;
  }
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  if (site === 'same-origin' || (site === 'none' && isReading)) return null;
  const isAllowed =
    site === undefined
      ? origin === undefined || (URL.canParse(origin) && new URL(origin).host === host.toLowerCase())
      : isReading && mode === 'navigate' && dest === 'document' && pathOf(request) === '/'; // a link to the page
  return isAllowed ? null : 'a page of another origin asked for this';
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
