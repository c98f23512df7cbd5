import { checkConnections, defaultConnection, sharedConnections } from '../connection/connection.ts';
import { keepOpen } from '../connection/keep-open.ts';
import { type AppWorkOptions, outboxOf, startWork } from '../connection/outbox-work.ts';
import { ServerShutdown, ServerStartup } from '../events/server-events.ts';
import { AppConfig } from './app-config.ts';

/** Settings of {@link MailAppConfig}, for a project's own subclass. */
export interface MailAppConfigOptions {
  /** Whether a server refuses to start when mail cannot be sent; default false: a warning is printed. */
  readonly verify?: boolean;
  /** Whether a worker runs with the server when the default connection is an outbox, or how; default true. */
  readonly work?: boolean | AppWorkOptions;
}

/**
 * The plugin of this package: checks the whole configuration when the plugins are ready, opens the default connection when a
 * server starts, and when it stops, sends all pending mails before it closes the shared connections. Where the default connection
 * is an outbox, a worker runs as long as the server does.
 */
export class MailAppConfig extends AppConfig {
  readonly name = 'amsdal_mail';
  readonly #verify: boolean;
  readonly #work: boolean | AppWorkOptions;
  /** What is undone at the end, the latest first; null while no server runs. */
  #releases: (() => Promise<void>)[] | null = null;

  constructor({ verify = false, work = true }: MailAppConfigOptions = {}) {
    super();
    this.#verify = verify;
    this.#work = work;
  }

  /** Subscribes to the start and the shutdown of the server. */
  override onSetup(): void {
    ServerStartup.subscribe(
      async (context, next) => {
        if (this.#releases === null) await this.#open();
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

  async #open(): Promise<void> {
    this.#releases = [];
    try {
      const connection = defaultConnection();
      this.#releases.push(await keepOpen(connection, this.#verify));
      const outbox = this.#work === false ? null : await outboxOf(connection);
      if (outbox !== null) this.#releases.push(await startWork(outbox, this.#work || true, this.#verify));
    } catch (error) {
      await this.#close();
      throw error;
    }
  }

  async #close(): Promise<void> {
    const releases = this.#releases ?? [];
    this.#releases = null;
    for (const release of releases.toReversed()) await release();
    await Promise.all(sharedConnections().map((connection) => connection.close()));
  }
}
