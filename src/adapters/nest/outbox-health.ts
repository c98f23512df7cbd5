import type { Outbox } from '../../outbox/outbox.ts';
import type { OutboxHealth } from '../../outbox/outbox-stats.ts';
import { reasonOf } from '../../util/reason.ts';

/** What an indicator tells `@nestjs/terminus`, 11 and later. */
export type HealthResult<Key extends string> = Readonly<
  Record<Key, { readonly status: 'up' | 'down'; readonly [detail: string]: unknown }>
>;

/** An indicator for the health checks of `@nestjs/terminus`, provided by the module: `() => this.outbox.isHealthy()`. */
export class OutboxHealthIndicator {
  readonly #outbox: Outbox | null;

  constructor(outbox: Outbox | null) {
    this.#outbox = outbox;
  }

  /**
   * Whether nobody needs to look at the outbox, with what its `health()` says: `down` when a mail is in doubt or a lane is paused.
   * For an alarm, not for a probe that restarts the application: that mends neither.
   */
  isHealthy<Key extends string = 'outbox'>(key?: Key): Promise<HealthResult<Key>> {
    return this.#check(key, async (outbox) => {
      const { status: health, ...facts }: OutboxHealth = await outbox.health();
      return { status: health === 'ok' ? 'up' : 'down', health, ...facts };
    });
  }

  /** Whether mails can be written down; for a readiness probe. */
  pingCheck<Key extends string = 'outbox'>(key?: Key): Promise<HealthResult<Key>> {
    return this.#check(key, async (outbox) => {
      await outbox.list({ limit: 1 });
      return { status: 'up' };
    });
  }

  async #check<Key extends string>(
    key: string = 'outbox',
    ask: (outbox: Outbox) => Promise<HealthResult<Key>[Key]>,
  ): Promise<HealthResult<Key>> {
    const told = this.#outbox === null ? Promise.reject(new Error('there is no outbox')) : ask(this.#outbox);
    const result = await told.catch((error: unknown) => ({ status: 'down', message: reasonOf(error) }));
    return { [key]: result } as HealthResult<Key>; // the default of Key is that of the argument
  }
}
