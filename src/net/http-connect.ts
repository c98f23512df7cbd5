import type { Duplex } from 'node:stream';
import { type ConnectionErrorCode, EmailConnectionError } from '../errors.ts';
import type { ProxyServer } from './proxy-server.ts';
import { readAnswer } from './read-answer.ts';

/** The most octets of an answer, interim ones (1xx) included. */
const MAX_ANSWER = 16 * 1024;
const START = 'HTTP/1.';
/** RFC 9112, section 4; the reason may have octets beyond ASCII. */
const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)(?: ([\t -~\x80-\xff]*))?$/;
/** RFC 9112, section 5. */
const FIELD_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*$/;
const [LF, CR] = [10, 13];

/**
 * Asks an HTTP proxy for a tunnel by CONNECT (RFC 9110, section 9.3.6), with a Basic login in UTF-8 (RFC 7617).
 *
 * @param host as `proxiedHost` gives it
 * @throws {EmailConnectionError} `auth` (407, 401), `refused`, `unreachable`, `timeout` or `protocol`; else what reading it fails with.
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
  let octets = 0;
  for (;;) {
    const isWhole = (bytes: readonly number[]): boolean => isHeader(bytes, name, MAX_ANSWER - octets);
    const bytes = await readAnswer(stream, isWhole, signal);
    octets += bytes.length;
    const { status, reason } = readHeader(bytes, name, [basic, login?.password]);
    if (status >= 200 && status < 300) return;
    // An interim answer is followed by the final one (RFC 9110, section 15.2); there is no protocol to switch to.
    if (status >= 200 || status === 101) throw refusal(status, reason, name, authority, login !== null);
  }
}

/** Whether a header is whole: the empty line is there. What begins as no HTTP is not waited for any longer. */
function isHeader(bytes: readonly number[], name: string, max: number): boolean {
  const at = bytes.length - 1;
  if (at < START.length && bytes[at] !== START.charCodeAt(at)) {
    throw protocol(name, 'what it answers is no HTTP: check proxy');
  }
  if (bytes[at] === LF && bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR) return true;
  if (bytes.length >= max) throw protocol(name, `its answer has no end within ${MAX_ANSWER} octets`);
  return false;
}

/** @param secrets what the reason is told without, should the proxy repeat it */
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
  // Length and coding of a body mean nothing here (RFC 9110, section 9.3.6): the tunnel begins behind the empty line.
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
  // A proxy says 407; tinyproxy says 401 to a wrong login. No server behind it has been asked.
  if (status === 407 || status === 401) {
    const what = hasLogin ? 'refuses the login: check its user name and password' : 'wants a login: give one';
    return new EmailConnectionError('auth', `the proxy ${name} ${what} in proxy (${said})`, { reply });
  }
  const [code, retryable] = verdict(status);
  const advice = code === 'refused' ? `; it must allow CONNECT to this host and port` : '';
  const message = `the proxy ${name} makes no connection to ${authority}: ${said}${advice}`;
  return new EmailConnectionError(code, message, { reply, retryable });
}

/** What a status says of the connection, and whether it may be another one later. */
function verdict(status: number): readonly [ConnectionErrorCode, boolean] {
  if (status === 504 || status === 408) return ['timeout', true];
  if (status >= 500 && status !== 501 && status !== 505) return ['unreachable', true];
  return ['refused', status === 429];
}

function protocol(name: string, what: string): EmailConnectionError {
  return new EmailConnectionError('protocol', `the proxy ${name}: ${what}`);
}
