import type { ConnectionErrorCode } from '../model/errors.ts';
import { Deadline } from '../util/deadline.ts';
import { isObject } from '../util/json.ts';
import { CERTIFICATE_CODE, NETWORK_CODES, systemCode, systemError } from './network-code.ts';
import { type HttpAnswer, type HttpRequest, NoAnswer, readText, type Transport } from './transport.ts';

/** Failures to connect, as the runtimes name them: undici (Node, Deno), Bun. */
const UNCONNECTED: Readonly<Record<string, ConnectionErrorCode>> = {
  ConnectionRefused: 'refused',
  FailedToOpenSocket: 'unreachable',
};
/** Codes that a connection fails with that was made, too. */
const ALSO_LATER: ReadonlySet<ConnectionErrorCode> = new Set(['closed', 'timeout']);

/** Requests by fetch: where there is no node:https, or by the function that was given. Connections are the runtime's own. */
export class FetchTransport implements Transport {
  readonly #fetch: typeof fetch;

  constructor(fetch: typeof globalThis.fetch) {
    this.#fetch = fetch;
  }

  async send({ method, url, headers, body }: HttpRequest, end: AbortSignal | Deadline): Promise<HttpAnswer> {
    const signal = end instanceof Deadline ? end.signal : end;
    if (signal.aborted) throw new NoAnswer(signal.reason, false);
    let response: Response;
    try {
      const call = this.#fetch; // no receiver: fetch refuses to be called as a method
      const content = body === null || typeof body === 'string' ? body : Buffer.concat(body);
      response = await call(url, { method, headers, body: content, signal, redirect: 'manual' });
    } catch (cause) {
      const code = unconnectedCode(cause);
      throw new NoAnswer(cause, signal.aborted || code === null, code);
    }
    const text = await readText(response.body ?? []);
    return { status: response.status, headers: Object.fromEntries(response.headers), text };
  }

  close(): void {}
}

/** Why there was no connection; null when there may have been one. */
function unconnectedCode(error: unknown): ConnectionErrorCode | null {
  const inner = systemError(error);
  // A network may go away under a connection that was made: it fails with the same codes, when it is used.
  if (isObject(inner) && (inner['syscall'] === 'read' || inner['syscall'] === 'write')) return null;
  const system = systemCode(inner);
  if (system === 'UND_ERR_CONNECT_TIMEOUT') return 'timeout';
  const code = UNCONNECTED[system] ?? NETWORK_CODES[system];
  if (code !== undefined) return ALSO_LATER.has(code) ? null : code;
  return CERTIFICATE_CODE.test(system) ? 'certificate' : null;
}
