import { thrownHere } from '../../model/error-copies.ts';
import { Queue } from '../../util/queue.ts';

const DONE: IteratorReturnResult<undefined> = /* @__PURE__ */ Object.freeze({ done: true, value: undefined });

/**
 * The results of a hand-written async iterator: pushed as they arrive, taken one by one on demand.
 *
 * Results pushed before a failure or the end are still delivered first.
 */
export class ResultQueue<T> {
  readonly #ready = new Queue<T>();
  readonly #waiters = new Queue<(step: IteratorResult<T> | Promise<never>) => void>();
  readonly #onTaken: ((value: T) => void) | undefined;
  #failure: { readonly error: unknown } | null = null;
  #isEnded = false;
  #demand: { readonly promise: Promise<void>; readonly signal: () => void } | null = null;

  /** @param onTaken Called with each result just before it is delivered. */
  constructor(onTaken?: (value: T) => void) {
    this.#onTaken = onTaken;
  }

  /** Whether a consumer waits for a result. */
  get hasDemand(): boolean {
    return this.#waiters.size > 0;
  }

  /** How many results wait for a consumer. */
  get size(): number {
    return this.#ready.size;
  }

  push(value: T): void {
    if (this.#isEnded) return;
    const give = this.#waiters.shift();
    if (give === undefined) this.#ready.push(value);
    else give(this.#taken(value));
  }

  /** Ends it; the first call of `next` without a result left rejects with the error, as {@link thrownHere} returns it. */
  fail(error: unknown): void {
    if (this.#isEnded) return;
    this.#failure = { error };
    this.end();
  }

  end(): void {
    this.#isEnded = true;
    for (let give = this.#waiters.shift(); give !== undefined; give = this.#waiters.shift()) give(this.#last());
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#ready.size > 0) return Promise.resolve(this.#taken(this.#ready.shift() as T)); // there is one
    if (this.#isEnded) return Promise.resolve(this.#last());
    this.#demand?.signal();
    this.#demand = null;
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Resolves when a result is wanted; null while a consumer already waits. */
  demand(): Promise<void> | null {
    if (this.hasDemand) return null;
    if (this.#demand === null) {
      let signal = () => {};
      const promise = new Promise<void>((resolve) => {
        signal = resolve;
      });
      this.#demand = { promise, signal };
    }
    return this.#demand.promise;
  }

  /** Ends it when the consumer wants no more. */
  return(): IteratorReturnResult<undefined> {
    while (this.#ready.size > 0) this.#ready.shift();
    this.#failure = null;
    this.end();
    return DONE;
  }

  #taken(value: T): IteratorYieldResult<T> {
    this.#onTaken?.(value);
    return { done: false, value };
  }

  #last(): IteratorReturnResult<undefined> | Promise<never> {
    const failure = this.#failure;
    this.#failure = null;
    return failure === null ? DONE : throwLater(failure.error);
  }
}

/** The waiter's promise must follow this one before it rejects, so that the functions that await it are in the stack. */
async function throwLater(error: unknown): Promise<never> {
  await null;
  await null;
  throw thrownHere(error);
}
