import type { EmailBackend } from '../backend/backend.ts';
import { ServerShutdown, ServerStartup } from '../events/server-events.ts';
import { defaultConnection, getConnection } from './connection.ts';
import { keepOpen } from './keep-open.ts';
import { onShutdownSignal } from './shutdown-signals.ts';

/** Options of {@link startMail}. */
export interface MailServiceOptions {
  /** A connection, or a target of `getConnection` such as `'@name'`; default: the default connection. */
  readonly connection?: EmailBackend | string;
  /** Whether the application refuses to start when mail cannot be sent; default false: a warning is printed. */
  readonly verify?: boolean;
  /** Whether pending mails are sent before SIGTERM and SIGINT end the process; default true. */
  readonly signals?: boolean;
}

/** Mail for an application, from its start to its shutdown. */
export interface MailService {
  /** The connection to send with; the default one is looked up at each access, so that a test inbox gets the mail. */
  readonly connection: EmailBackend;
  /** Emits ServerShutdown, sends all pending mails and closes the connection, once; `signal`: default the one received. */
  close(signal?: string | null): Promise<void>;
}

/**
 * Starts mail for an application: emits ServerStartup and opens the connection. For servers without an adapter; the adapters use
 * it, too.
 *
 * @param server the server that the plugins see
 * @param stop what a signal does; default: closes the service
 * @throws {ConfigurationError} when the configuration is wrong; with `verify`, when mail cannot be sent; and what a listener of
 *   ServerStartup throws.
 */
export async function startMail(
  options: MailServiceOptions = {},
  server: unknown = null,
  stop?: (signal: string) => Promise<void>,
): Promise<MailService> {
  const { verify = false, signals = true } = options;
  const current = connectionGetter(options.connection);
  const connection = current();
  await ServerStartup.emit({ server });
  const release = await keepOpen(connection, verify).catch(async (error: unknown) => {
    await ServerShutdown.emit({ server, signal: null });
    throw error;
  });
  let closing: Promise<void> | null = null;
  let received: string | null = null;
  const shutDown = async (signal: string | null): Promise<void> => {
    forget();
    try {
      await ServerShutdown.emit({ server, signal });
    } finally {
      await release();
    }
  };
  const service: MailService = {
    get connection() {
      return current();
    },
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
