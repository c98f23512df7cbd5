import { backoffMs } from '../../../util/backoff.ts';
import type { ClientPool, PostgresPoolClient } from './database.ts';
import { type Names, quoted } from './names.ts';

const RECONNECT = { attempts: Number.POSITIVE_INFINITY, baseMs: 250, maxMs: 30_000 };

/** A client of the pool that waits for notifications; one that is lost is replaced, while polling does the work. */
export class Listener {
  readonly #pool: ClientPool;
  readonly #names: Names;
  readonly #wake: () => void;
  #client: PostgresPoolClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isConnecting = false;
  #tries = 0;
  #isClosed = false;

  constructor(pool: ClientPool, names: Names, wake: () => void) {
    this.#pool = pool;
    this.#names = names;
    this.#wake = wake;
  }

  /** Connects, once; does not wait for it. */
  start(): void {
    if (this.#isClosed || this.#client || this.#timer || this.#isConnecting) return;
    this.#isConnecting = true;
    void this.#connect().finally(() => {
      this.#isConnecting = false;
    });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    client?.release(true); // it would go on listening in the pool
  }

  async #connect(): Promise<void> {
    let client: PostgresPoolClient;
    try {
      client = await this.#pool.connect();
    } catch {
      return this.#later();
    }
    if (this.#isClosed) return client.release();
    this.#client = client;
    const lose = (error?: Error) => this.#lose(client, error);
    client.on('error', lose);
    client.on('end', lose);
    client.on('notification', ({ channel, payload }) => {
      if (channel === this.#names.channel && payload === this.#names.payload) this.#wake();
    });
    try {
      await client.query(`LISTEN ${quoted(this.#names.channel)}`, []);
      this.#tries = 0;
      this.#wake(); // for what was written down while nobody listened
    } catch (error) {
      lose(error instanceof Error ? error : undefined);
    }
  }

  #lose(client: PostgresPoolClient, error?: Error): void {
    if (this.#client !== client) return; // once, and not when it is closed
    this.#client = undefined;
    client.release(error ?? true);
    this.#later();
  }

  #later(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.start();
      },
      backoffMs(RECONNECT, ++this.#tries),
    );
    this.#timer.unref();
  }
}
