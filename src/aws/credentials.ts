import type { AwsKeys } from './signature.ts';

/** Keys, and until when they can be used. */
export interface AwsCredentials extends AwsKeys {
  /** Left out for keys without an end. */
  readonly expiration?: Date | undefined;
}

/** Before their end, new keys are fetched; services go on taking the old ones. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** When no keys can be had that last longer, those there are are used until their end, and others asked for after this time. */
const ASK_AGAIN_MS = 60_000;

/** Keys that are given, or those of a source: fetched when they are first needed, once for all who wait, and again before they end. */
export class Credentials {
  readonly #source: AwsCredentials | (() => Promise<AwsCredentials>);
  #known: AwsCredentials | null = null;
  #renewAt = 0;
  #fetching: Promise<AwsCredentials> | null = null;

  constructor(source: AwsCredentials | (() => Promise<AwsCredentials>)) {
    this.#source = source;
  }

  /** @throws what the source throws. */
  async get(): Promise<AwsKeys> {
    if (typeof this.#source === 'object') return this.#source;
    const now = Date.now();
    const fetch = this.#source;
    if (this.#known !== null && now < this.#renewAt) return this.#known;
    this.#fetching ??= this.#renew(fetch, now).finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  /** Keys that have ended: whether the next request may have other ones. */
  drop(keys: AwsKeys): boolean {
    if (this.#known === keys) this.#known = null;
    return typeof this.#source === 'function';
  }

  async #renew(fetch: () => Promise<AwsCredentials>, now: number): Promise<AwsCredentials> {
    const before = this.#known;
    try {
      this.#known = await fetch();
      const end = this.#known.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
      // A source may have none yet that last longer.
      this.#renewAt = Math.max(end - RENEW_BEFORE_MS, Math.min(end, now + ASK_AGAIN_MS));
      return this.#known;
    } catch (error) {
      const end = before?.expiration?.getTime() ?? 0;
      if (before === null || now >= end) throw error;
      this.#renewAt = Math.min(end, now + ASK_AGAIN_MS);
      return before;
    }
  }
}
