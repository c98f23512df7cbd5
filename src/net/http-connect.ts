import type { Duplex } from 'node:stream';
import { type ConnectionErrorCode, EmailConnectionError } from '../model/errors.ts';
import type { ProxyServer } from './proxy-server.ts';
import { readAnswer } from './read-answer.ts';

/** Bytes allowed for an answer, interim ones (1xx) included. */
const MAX_ANSWER = 16 * 1024;
const START = 'HTTP/1.';
/** RFC 9112, section 4; the reason may contain bytes above 127. */
const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)(?: ([\t -~\x80-\xff]*))?$/;
/** RFC 9112, section 5. */
const FIELD_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*$/;
const [LF, CR] = [10, 13];

/**
 * Requests a tunnel from an HTTP proxy by CONNECT (RFC 9110, section 9.3.6), with a Basic login in UTF-8 (RFC 7617).
 *
 * @param host As returned by `proxiedHost`.
 * @throws {EmailConnectionError} `auth` (407, 401), `refused`, `unreachable`, `timeout` or `protocol`.
 * @throws What {@link readAnswer} throws.
 */
export async function httpConnect(
  stream: Duplex,
  { name, login }: ProxyServer,
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<void> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const basic = login && Buffer.from(`${login.username}:${login.password}`, 'utf8').toString('base64');
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
  if (basic !== null) lines.push(`Proxy-Authorization: Basic ${basic}`);
  stream.write(`${lines.join('\r\n')}\r\n\r\n`);
  let size = 0;
  for (;;) {
    const bytes = await readAnswer(stream, (read) => isHeader(read, name, MAX_ANSWER - size), signal);
    size += bytes.length;
    const { status, reason } = readHeader(bytes, name, [basic, login?.password]);
    if (status >= 200 && status < 300) return;
    // An interim answer precedes the final one (RFC 9110, section 15.2); there is no protocol to switch to.
    if (status >= 200 || status === 101) throw refusal(status, reason, name, authority, login !== null);
  }
}

/** Whether the header is complete, down to its empty line. @throws {EmailConnectionError} when it does not begin as HTTP. */
function isHeader(bytes: readonly number[], name: string, max: number): boolean {
  const at = bytes.length - 1;
  if (at < START.length && bytes[at] !== START.charCodeAt(at)) {
    throw protocol(name, 'what it answers is no HTTP: check proxy');
  }
  if (bytes[at] === LF && bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR) return true;
  if (bytes.length >= max) throw protocol(name, `its answer has no end within ${MAX_ANSWER} octets`);
  return false;
}

/** @param secrets Removed from the reason, in case the proxy repeats them. */
function readHeader(
  bytes: readonly number[],
  name: string,
  secrets: readonly (string | null | undefined)[],
): { readonly status: number; readonly reason: string } {
  const [first = '', ...fields] = Buffer.from(bytes).toString('latin1').slice(0, -4).split('\r\n');
  const match = STATUS_LINE.exec(first);
  if (match === null || !fields.every((line) => FIELD_LINE.test(line))) {
    throw protocol(name, 'its answer breaks the rules of HTTP (RFC 9112): check proxy');
  }
  const [, status, reason = ''] = match;
  // Content-Length and Transfer-Encoding are ignored (RFC 9110, section 9.3.6): the tunnel begins after the empty line.
  const shown = secrets.reduce<string>(
    (text, secret) => (secret ? text.replaceAll(secret, '***') : text),
    reason.trim(),
  );
  return { status: Number(status), reason: shown.slice(0, 200) };
}

function refusal(
  status: number,
  reason: string,
  name: string,
  authority: string,
  hasLogin: boolean,
): EmailConnectionError {
  const said = reason === '' ? String(status) : `${status} ${reason}`;
  const reply = { code: status, enhancedCode: null, text: reason };
  // Proxies answer 407; tinyproxy answers 401 to a wrong login, without having asked the server.
  if (status === 407 || status === 401) {
    const what = hasLogin ? 'refuses the login: check its user name and password' : 'wants a login: give one';
    return new EmailConnectionError('auth', `the proxy ${name} ${what} in proxy (${said})`, { reply });
  }
  const [code, retryable] = verdict(status);
  const advice = code === 'refused' ? `; it must allow CONNECT to this host and port` : '';
  const message = `the proxy ${name} makes no connection to ${authority}: ${said}${advice}`;
  return new EmailConnectionError(code, message, { reply, retryable });
}

/** The error code for a status, and whether a later try may succeed. */
function verdict(status: number): readonly [ConnectionErrorCode, boolean] {
  if (status === 504 || status === 408) return ['timeout', true];
  if (status >= 500 && status !== 501 && status !== 505) return ['unreachable', true];
  return ['refused', status === 429];
}

function protocol(name: string, what: string): EmailConnectionError {
  return new EmailConnectionError('protocol', `the proxy ${name}: ${what}`);
}
