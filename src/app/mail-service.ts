import type { EmailBackend } from '../backend.ts';
import { defaultConnection, getConnection } from '../connection.ts';
import { ServerShutdown, ServerStartup } from '../server-events.ts';
import { keepOpen } from './keep-open.ts';
import { onShutdownSignal } from './shutdown-signals.ts';

/** How mail is served to an application. */
export interface MailServiceOptions {
  /** A connection, `'@name'`, or what else `getConnection` takes; default: the process's own. */
  readonly connection?: EmailBackend | string;
  /** Whether the application must not start when mail could not be sent; default false: a warning is printed. */
  readonly verify?: boolean;
  /** Whether SIGTERM and SIGINT let every mail under way be sent before the process ends; default true. */
  readonly signals?: boolean;
}

/** Mail for an application, from its start to its end. */
export interface MailService {
  /** The connection to send with; the default one is looked up anew each time, so that a test inbox gets the mail. */
  readonly connection: EmailBackend;
  /** Tells the plugins that the server stops, lets every mail under way be sent, and closes the connection; once. Default: the signal that was received. */
  close(signal?: string | null): Promise<void>;
}

/**
 * Starts mail for an application: tells the plugins (ServerStartup) and opens the connection; for servers without an adapter,
 * and what the adapters are made of.
 *
 * @param server what the plugins see as the server
 * @param stop what a signal does; default: closes the service
 * @throws {ConfigurationError} when the configuration is wrong; with `verify`, whatever keeps mail from being sent; what a
 *   listener of ServerStartup throws.
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
    received = signal; // a framework's own way to stop does not pass it on
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
