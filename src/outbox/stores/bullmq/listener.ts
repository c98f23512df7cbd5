import { pause } from '../../../util/pause.ts';
import type { RedisClient } from './redis.ts';
import type { Session } from './session.ts';

/** How long one call waits, so that what nobody answers any more is noticed. */
const BLOCK_MS = 10_000;
const RETRY_MS = 1_000;

/** A connection of its own that waits for news of other processes; while it is lost, polling does the work. */
export class Listener {
  readonly #session: Session;
  readonly #wake: () => void;
  readonly #stop = new AbortController();
  #client: RedisClient | null = null;
  #isStarted = false;

  constructor(session: Session, wake: () => void) {
    this.#session = session;
    this.#wake = wake;
  }

  /** Listens from now on; does not wait for it. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    void this.#listen();
  }

  close(): void {
    this.#stop.abort();
    this.#client?.disconnect();
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#read();
      } catch {
        this.#client?.disconnect();
        await pause(RETRY_MS, signal);
      }
    }
  }

  async #read(): Promise<void> {
    const { client, key } = await this.#session.listener();
    client.on('error', () => {}); // the call that waits rejects
    this.#client = client;
    if (this.#stop.signal.aborted) return client.disconnect();
    let id = '$';
    for (;;) {
      this.#wake(); // at first for what was written down while nobody listened
      let news = null;
      while (news === null) {
        const askedAt = performance.now();
        news = await client.xread([{ key, id }], { BLOCK: BLOCK_MS });
        if (this.#stop.signal.aborted) return;
        // A driver whose connection has ended answers at once, for ever.
        if (news === null && performance.now() - askedAt < BLOCK_MS / 2) throw new Error('no connection');
      }
      id = news[0]?.[1].at(-1)?.[0] ?? id;
    }
  }
}
