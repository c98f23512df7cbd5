import type { Part } from '../backend/part.ts';
import { SYSTEM_CLOCK } from '../util/clock.ts';
import type { AccountRates, Rates } from '../util/rates.ts';
import type { BucketRates, OutboxStore } from './store.ts';

/** How often the account is asked for, and how soon again without an answer, in milliseconds. */
const ASK_EVERY_MS = 600_000;
const ASK_AGAIN_MS = 30_000;

/** The bucket of the account that all lanes send over; those of lanes are called otherwise. */
export const ACCOUNT = 'account';
const LANE = 'lane ';

export function bucketOf(lane: string): string {
  return LANE + lane;
}

/** The lane of a bucket; null for the account's. */
export function laneOf(bucket: string): string | null {
  return bucket.startsWith(LANE) ? bucket.slice(LANE.length) : null;
}

/** What keeps mails back besides their time: the rates of their lane, and those of the account that they go over. */
export class Limits {
  readonly #store: Pick<OutboxStore, 'take'>;
  readonly #part: Pick<Part, 'accountRates'>;
  #account: AccountRates | null = null;
  #asksAt = Number.NEGATIVE_INFINITY;
  /** Settled once the account was asked for the first time. */
  #asked: Promise<void> | null = null;

  constructor(store: Pick<OutboxStore, 'take'>, part: Pick<Part, 'accountRates'>) {
    this.#store = store;
    this.#part = part;
  }

  /**
   * Takes the places of a mail for so many recipients; else resolves with how long to wait, in milliseconds.
   *
   * @param isOverdue whether it has waited for long already
   */
  async take(lane: string, rates: Rates | null, count: number, isOverdue: boolean): Promise<number> {
    const account = await this.#accountNow();
    const buckets: BucketRates[] = rates === null ? [] : [{ bucket: bucketOf(lane), ...rates, isOverdue }];
    if (account !== null) buckets.push({ bucket: ACCOUNT, ...account, isOverdue });
    if (buckets.length === 0) return 0;
    const ms = await this.#store.take(buckets, count);
    // The store knows by now what was sent before.
    if (account !== null && account === this.#account) {
      const { sentInDay: _, ...lasting } = account;
      this.#account = lasting;
    }
    return ms;
  }

  /** Nobody waits for the answer but for the first one. */
  async #accountNow(): Promise<AccountRates | null> {
    const now = SYSTEM_CLOCK.now();
    if (now >= this.#asksAt) {
      this.#asksAt = now + ASK_EVERY_MS;
      const asking = this.#part.accountRates().then(
        (rates) => {
          this.#account = rates;
        },
        () => {
          this.#asksAt = SYSTEM_CLOCK.now() + ASK_AGAIN_MS;
        },
      );
      this.#asked ??= asking;
    }
    await this.#asked;
    return this.#account;
  }
}
