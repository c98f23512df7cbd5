import { checkConnections, defaultConnection, sharedConnections } from '../connection/connection.ts';
import { keepOpen } from '../connection/keep-open.ts';
import { ServerShutdown, ServerStartup } from '../events/server-events.ts';
import { AppConfig } from './app-config.ts';

/** Settings of {@link MailAppConfig}, for a project's own subclass. */
export interface MailAppConfigOptions {
  /** Whether a server refuses to start when mail cannot be sent; default false: a warning is printed. */
  readonly verify?: boolean;
}

/**
 * The plugin of this package: checks the whole configuration when the plugins are ready, opens the default connection when a
 * server starts, and when it stops, sends all pending mails before it closes the shared connections.
 */
export class MailAppConfig extends AppConfig {
  readonly name = 'amsdal_mail';
  readonly #verify: boolean;
  #release: (() => Promise<void>) | null = null;

  constructor({ verify = false }: MailAppConfigOptions = {}) {
    super();
    this.#verify = verify;
  }

  /** Subscribes to the start and the shutdown of the server. */
  override onSetup(): void {
    ServerStartup.subscribe(
      async (context, next) => {
        this.#release ??= await keepOpen(defaultConnection(), this.#verify);
        return next(context);
      },
      { name: this.name },
    );
    ServerShutdown.subscribe(
      async (context, next) => {
        try {
          return await next(context); // other plugins may send their last mails
        } finally {
          await this.#close();
        }
      },
      { name: this.name },
    );
  }

  /** @throws {ConfigurationError} when the configuration of any connection is wrong. */
  override onReady(): void {
    checkConnections();
  }

  async #close(): Promise<void> {
    const release = this.#release;
    this.#release = null;
    await release?.();
    await Promise.all(sharedConnections().map((connection) => connection.close()));
  }
}
