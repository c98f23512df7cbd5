import type { Duplex } from 'node:stream';
import { type ConnectionErrorCode, EmailConnectionError } from '../model/errors.ts';
import type { ProxyServer } from './proxy-server.ts';
import { readAnswer } from './read-answer.ts';

const VERSION = 5;
/** The version of the login subnegotiation (RFC 1929). */
const LOGIN_VERSION = 1;
const NO_LOGIN = 0;
const PASSWORD = 2;
const NONE_ACCEPTABLE = 0xff;
const CONNECT = 1;
const [IPV4, NAME, IPV6] = [1, 3, 4];

type Verdict = readonly [code: ConnectionErrorCode, why: string, isRetryable: boolean];

/** The failure for each reply code (RFC 1928, section 6). */
const VERDICTS: Readonly<Record<number, Verdict>> = {
  1: ['connection', 'general failure', true],
  2: ['refused', 'its rules do not allow it; it must allow this host and port', false],
  3: ['unreachable', 'the network is unreachable', true],
  4: ['unreachable', 'the host is unreachable', true],
  5: ['refused', 'nothing listens there: check host and port', true],
  6: ['timeout', 'no answer in time', true],
  7: ['protocol', 'it does not know the command CONNECT: use another proxy', false],
  8: ['protocol', 'it does not know this kind of address: give host as a name, or as an IPv4 address', false],
};

/**
 * Requests a connection from a SOCKS proxy (RFC 1928), logging in if asked to (RFC 1929); the proxy resolves names.
 *
 * @param host As returned by `proxiedHost`.
 * @throws {EmailConnectionError} `auth`, `refused`, `unreachable`, `timeout`, `protocol` or `connection`.
 * @throws What {@link readAnswer} throws.
 */
export async function socksConnect(
  stream: Duplex,
  proxy: ProxyServer,
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<void> {
  const { name, login } = proxy;
  const methods = login === null ? [NO_LOGIN] : [NO_LOGIN, PASSWORD];
  stream.write(Uint8Array.of(VERSION, methods.length, ...methods));
  const method = await chosenMethod(stream, name, signal);
  if (method === PASSWORD && login !== null) await logIn(stream, name, login, signal);
  else if (method === NONE_ACCEPTABLE) {
    const what = login === null ? 'wants a login: give one' : 'takes no login by user name and password: change it';
    throw failed('auth', `the proxy ${name} ${what} in proxy`);
  } else if (method !== NO_LOGIN) {
    throw failed('protocol', `the proxy ${name} demands the login method ${method}, which was not offered`);
  }
  stream.write(Uint8Array.of(VERSION, CONNECT, 0, ...addressOf(host), port >> 8, port & 0xff));
  const answer = await readAnswer(stream, (bytes) => isReply(bytes, name), signal);
  const reply = answer[1] ?? 0;
  if (reply === 0) return;
  const [code, why, retryable] = VERDICTS[reply] ?? ['protocol', 'for a reason that RFC 1928 does not know', false];
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  throw failed(code, `the proxy ${name} makes no connection to ${where}: ${why} (SOCKS reply ${reply})`, retryable);
}

async function chosenMethod(stream: Duplex, name: string, signal: AbortSignal): Promise<number> {
  const isWhole = (bytes: readonly number[]): boolean => {
    checkVersion(bytes, name);
    return bytes.length === 2;
  };
  const [, method = NONE_ACCEPTABLE] = await readAnswer(stream, isWhole, signal);
  return method;
}

async function logIn(
  stream: Duplex,
  name: string,
  { username, password }: NonNullable<ProxyServer['login']>,
  signal: AbortSignal,
): Promise<void> {
  stream.write(Uint8Array.of(LOGIN_VERSION, ...counted(username), ...counted(password)));
  // The version is ignored: some servers send that of SOCKS.
  const [, status] = await readAnswer(stream, (bytes) => bytes.length === 2, signal);
  if (status !== 0) throw failed('auth', `the proxy ${name} refuses the login: check user name and password in proxy`);
}

/** Whether a reply is complete; a refusal is after its code, since some servers then hang up. */
function isReply(bytes: readonly number[], name: string): boolean {
  checkVersion(bytes, name);
  const [, reply, , type, firstOfName] = bytes;
  if (reply === undefined) return false;
  if (reply !== 0) return true;
  if (type === undefined || firstOfName === undefined) return false;
  const sizes: Readonly<Record<number, number>> = { [IPV4]: 4, [NAME]: 1 + firstOfName, [IPV6]: 16 };
  const size = sizes[type];
  if (size === undefined) throw failed('protocol', `the proxy ${name} answers with an address of no kind (RFC 1928)`);
  return bytes.length === 4 + size + 2;
}

function checkVersion([version]: readonly number[], name: string): void {
  if (version !== VERSION) throw failed('protocol', `the proxy ${name}: what it answers is no SOCKS 5: check proxy`);
}

/** An address as its type and bytes. */
function addressOf(host: string): readonly number[] {
  const net = process.getBuiltinModule('node:net');
  if (net.isIPv4(host)) return [IPV4, ...host.split('.').map(Number)];
  if (net.isIPv6(host)) return [IPV6, ...bytesOfV6(host)];
  return [NAME, ...counted(host)];
}

/** The bytes of an IPv6 address, whose form in URLs is hexadecimal throughout. */
function bytesOfV6(host: string): readonly number[] {
  const [before = '', after] = host.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const left = before === '' ? [] : before;
  const right = after ?? [];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** A text of at most 255 bytes, preceded by their count. */
function counted(text: string): readonly number[] {
  const bytes = Buffer.from(text, 'utf8');
  return [bytes.length, ...bytes];
}

function failed(code: ConnectionErrorCode, message: string, retryable = false): EmailConnectionError {
  return new EmailConnectionError(code, message, { retryable });
}
