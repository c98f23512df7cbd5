import type { Duplex } from 'node:stream';
import { EmailConnectionError, EmailError } from '../../model/errors.ts';
import { addressesOf, connectFirst, type HostAddress } from '../../net/connect.ts';
import { connectError, type OptionsToCheck } from '../../net/connect-error.ts';
import { dialThroughProxy } from '../../net/dial-through-proxy.ts';
import { Deadline } from '../../util/deadline.ts';
import { isWorkerd } from '../../util/runtime.ts';
import { unlessAborted } from '../../util/unless-aborted.ts';
import { locationOf, type ResolvedSmtpOptions } from '../options.ts';
import { abortedError, connectPath, connectTls } from './connect.ts';

/** How many addresses of a host may take a connection and then not greet; RFC 5321, section 5.1, asks for two at least. */
const MAX_DIALS = 3;
const OPTIONS_TO_CHECK: OptionsToCheck = { dns: 'host', refused: 'host and port', unreachable: 'host and network' };

/** The way to a server: a unix socket, a socket of the caller's, a proxy, or the addresses of its host, each dialled once. */
export class Route {
  readonly #options: ResolvedSmtpOptions;
  /** Null until the addresses are known. */
  #untried: readonly HostAddress[] | null = null;
  #dials = 0;

  constructor(options: ResolvedSmtpOptions) {
    this.#options = options;
  }

  /** Whether another address is left after those that were dialled. */
  get hasMore(): boolean {
    return this.#untried !== null && this.#untried.length > 0 && this.#dials < MAX_DIALS;
  }

  /**
   * Connects to whichever address answers first of those that were not dialled yet.
   *
   * @throws {EmailConnectionError} code `dns`, `refused`, `unreachable`, `timeout`, `aborted` or `connection`, and what a
   *   proxy may end in; no further address is left then.
   */
  async dial(signal: AbortSignal): Promise<Duplex> {
    const { timeouts } = this.#options;
    const where = locationOf(this.#options);
    const deadline = new Deadline(timeouts.connect, signal);
    this.#dials++;
    try {
      return await this.#connect(deadline.signal);
    } catch (error) {
      this.#untried = [];
      if (signal.aborted) throw abortedError(signal, 'connect');
      if (deadline.isOver) {
        throw new EmailConnectionError('timeout', `no connection to ${where} within ${timeouts.connect} ms`, {
          retryable: true,
        });
      }
      if (this.#options.socket === null && error instanceof EmailError) throw error;
      throw connectError(error, where, OPTIONS_TO_CHECK);
    } finally {
      deadline.clear();
    }
  }

  async #connect(signal: AbortSignal): Promise<Duplex> {
    const { host, port, path, proxy, security } = this.#options;
    if (this.#options.socket) {
      const socket = Promise.resolve(this.#options.socket({ host, port, signal }));
      // A socket that comes too late is closed.
      socket.then((late) => signal.aborted && late.destroy()).catch(() => {});
      // Any Node Duplex is taken: what the wire needs of it, it finds out by using it.
      return (await unlessAborted(socket, signal)) as unknown as Duplex;
    }
    if (security === 'implicit' && isWorkerd()) return await connectTls(host, port, signal);
    if (path !== null) return await connectPath(path, signal);
    if (proxy !== null) return await dialThroughProxy(proxy, { host, port }, signal, security === 'none');
    this.#untried ??= await addressesOf(host, signal);
    const { socket, target } = await connectFirst(this.#untried, port, signal, security === 'none');
    this.#untried = this.#untried.filter((address) => address !== target);
    return socket;
  }
}
