import type { DeliveryResult } from '../backend/job.ts';
import type { RecipientStatus } from '../model/status.ts';
import type { Breaker } from './breaker.ts';
import { isOfConnection } from './breaker.ts';
import type { EndedTry, NextTry, Rules } from './rules.ts';

/** The places of all connections in the order in which they are to be tried: of a new message, or of one whose first try was at `first`. */
export type Order = (first: number | null) => readonly number[];

/**
 * The rules of wrappers that choose among connections: a message goes to the first one in order that is not resting; what certainly
 * nobody has, and another connection may take, goes to the next.
 */
export class Choice implements Rules {
  readonly triesAgain: boolean;
  readonly #order: Order;
  readonly #breaker: Breaker;

  constructor(count: number, order: Order, breaker: Breaker) {
    this.triesAgain = count > 1;
    this.#order = order;
    this.#breaker = breaker;
  }

  first(): number {
    return this.#best(this.#order(null)) ?? 0;
  }

  begun(place: number): void {
    this.#breaker.begun(place);
  }

  ended(place: number, answer: DeliveryResult | null, isLate: boolean): void {
    this.#breaker.ended(place, answer, isLate);
  }

  goesOn({ error, retryable }: RecipientStatus): boolean {
    return retryable || (error !== null && isOfConnection(error));
  }

  next({ places }: EndedTry): NextTry | null {
    const place = this.#best(this.#order(places[0] ?? null).filter((each) => !places.includes(each)));
    return place === null ? null : { place, afterMs: 0 };
  }

  /** One that rests is passed over only where there is another. */
  #best(places: readonly number[]): number | null {
    for (const place of places) if (this.#breaker.isReady(place)) return place;
    return places[0] ?? null;
  }
}
