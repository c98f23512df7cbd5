import type { EmailError } from '../../model/errors.ts';
import type { Delivery, RecipientOutcome } from './delivery.ts';
import { Fifo } from './fifo.ts';

/** The deliveries before the connections of a pool, first in, first out; each may start once nobody need be asked for it any more. */
export class Backlog {
  /** As they were submitted. */
  readonly #queue = new Fifo<Delivery>();
  /** Taken out of the queue: whoever gave them is being asked. */
  readonly #asking = new Set<Delivery>();
  /** They may start, and go before those of the queue. */
  readonly #ready = new Fifo<Delivery>();
  readonly #onAnswer: () => void;

  /** @param onAnswer is told when a delivery may start, or will not. */
  constructor(onAnswer: () => void) {
    this.#onAnswer = onAnswer;
  }

  /** How many there are. */
  get size(): number {
    this.#dropSettled();
    return this.#queue.size + this.#asking.size + this.#ready.size;
  }

  /** Whether one may start now. */
  get canStart(): boolean {
    this.#dropSettled();
    return this.#ready.size > 0 || this.#queue.first?.needsCommit === false;
  }

  /** Whether somebody must be asked before the next one of the queue may start. */
  get mustAsk(): boolean {
    this.#dropSettled();
    return this.#queue.first?.needsCommit === true;
  }

  push(delivery: Delivery): void {
    this.#queue.push(delivery);
  }

  /** Puts back to the front one that was taken. */
  putBack(delivery: Delivery): void {
    this.#ready.unshift(delivery);
  }

  /** The next one that may start. */
  take(): Delivery | undefined {
    if (!this.canStart) return undefined;
    return this.#ready.shift() ?? this.#queue.shift();
  }

  /** Asks for those next in line, all in this turn, until as many as there is `room` for may start or are being asked. */
  ask(room: number): void {
    for (let left = room - this.#asking.size - this.#ready.size; left > 0 && this.mustAsk; left--) {
      const delivery = this.#queue.shift() as Delivery; // mustAsk: there is one
      this.#asking.add(delivery);
      void delivery.askToCommit().then((refusal) => this.#onAnswered(delivery, refusal));
    }
  }

  /** Nobody waits any more for the answer about one that was given up. */
  forget(delivery: Delivery): void {
    this.#asking.delete(delivery);
  }

  /** Settles all, in their order. */
  settleAll(outcome: RecipientOutcome): void {
    for (let next = this.#ready.shift(); next; next = this.#ready.shift()) next.settle(outcome);
    const asking = [...this.#asking];
    this.#asking.clear();
    for (const delivery of asking) delivery.settle(outcome);
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) next.settle(outcome);
  }

  #onAnswered(delivery: Delivery, refusal: EmailError | null): void {
    if (!this.#asking.delete(delivery)) return; // it was given up meanwhile
    if (refusal === null) this.#ready.push(delivery);
    else delivery.settle({ reply: null, error: refusal });
    this.#onAnswer();
  }

  /** Takes deliveries that were given up off the front. */
  #dropSettled(): void {
    while (this.#ready.first?.isSettled) this.#ready.shift();
    while (this.#queue.first?.isSettled) this.#queue.shift();
  }
}
