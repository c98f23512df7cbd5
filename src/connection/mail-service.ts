import type { EmailBackend } from '../backend/backend.ts';
import { ServerShutdown, ServerStartup } from '../events/server-events.ts';
import { ConfigurationError } from '../model/errors.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { defaultConnection, getConnection } from './connection.ts';
import { keepOpen } from './keep-open.ts';
import { type AppWorkOptions, outboxOf, startWork } from './outbox-work.ts';
import { onShutdownSignal } from './shutdown-signals.ts';

/** Options of {@link startMail}. */
export interface MailServiceOptions {
  /** A connection, or a target of `getConnection` such as `'@name'`; default: the default connection. */
  readonly connection?: EmailBackend | string;
  /** Whether the application refuses to start when mail cannot be sent; default false: a warning is printed. */
  readonly verify?: boolean;
  /** Whether pending mails are sent before SIGTERM and SIGINT end the process; default true. */
  readonly signals?: boolean;
  /** An outbox that closes with the application; default: the connection's, where that is one. */
  readonly outbox?: Outbox;
  /** Whether a worker of the outbox runs in this process as long as the application does, or how; default false. */
  readonly work?: boolean | AppWorkOptions;
}

/** Mail for an application, from its start to its shutdown. */
export interface MailService {
  /** The connection to send with; the default one is looked up at each access, so that a test inbox gets the mail. */
  readonly connection: EmailBackend;
  /** The outbox that was given, or that the connection is; null for none. */
  readonly outbox: Outbox | null;
  /** Emits ServerShutdown, lets a worker finish what is under way, sends all pending mails and closes the connection, once; `signal`: default the one received. */
  close(signal?: string | null): Promise<void>;
}

/**
 * Starts mail for an application: emits ServerStartup and opens the connection. For servers without an adapter; the adapters use
 * it, too.
 *
 * @param server the server that the plugins see
 * @param stop what a signal does; default: closes the service
 * @throws {ConfigurationError} when the configuration is wrong, or `work` is set and there is no outbox; with `verify`, when mail cannot be sent; and what a listener of
 *   ServerStartup throws.
 */
export async function startMail(
  options: MailServiceOptions = {},
  server: unknown = null,
  stop?: (signal: string) => Promise<void>,
): Promise<MailService> {
  const { verify = false, signals = true, work = false } = options;
  const current = connectionGetter(options.connection);
  const connection = current();
  const outbox = options.outbox ?? (await outboxOf(connection));
  if (work !== false && outbox === null) {
    const text = `work: the connection is ${connection.name} and no outbox: give outbox, or a connection that is one`;
    throw new ConfigurationError('missing-option', text, { option: 'outbox' });
  }
  await ServerStartup.emit({ server });
  /** What is undone at the end, the latest first. */
  const releases: (() => Promise<void>)[] = [async () => options.outbox?.close()];
  const releaseAll = async (): Promise<void> => {
    for (const release of releases.splice(0).toReversed()) await release();
  };
  try {
    releases.push(await keepOpen(connection, verify));
    if (work !== false && outbox !== null) releases.push(await startWork(outbox, work, verify));
  } catch (error) {
    await ServerShutdown.emit({ server, signal: null });
    await releaseAll();
    throw error;
  }
  let closing: Promise<void> | null = null;
  let received: string | null = null;
  const shutDown = async (signal: string | null): Promise<void> => {
    forget();
    try {
      await ServerShutdown.emit({ server, signal });
    } finally {
      await releaseAll();
    }
  };
  const service: MailService = {
    get connection() {
      return current();
    },
    outbox,
    close(signal = received) {
      closing ??= shutDown(signal);
      return closing;
    },
  };
  const onSignal = (signal: string): Promise<void> => {
    received = signal; // a framework's own shutdown does not pass it on
    return stop === undefined ? service.close() : stop(signal);
  };
  const forget = signals ? onShutdownSignal(onSignal) : () => {};
  return service;
}

function connectionGetter(given: EmailBackend | string | undefined): () => EmailBackend {
  if (given === undefined) return defaultConnection;
  const connection = typeof given === 'string' ? getConnection(given) : given;
  return () => connection;
}
