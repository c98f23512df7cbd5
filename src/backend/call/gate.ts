import { Queue } from '../../util/queue.ts';

/** Who waits at a {@link Gate}. */
export interface Waiting {
  /** Its turn has come. */
  enter(): void;
}

/**
 * Lets a limited number of calls run at once and the rest wait, first in, first out, so that a hundred thousand sends at
 * once cost the memory of their messages and little else.
 */
export class Gate {
  readonly #limit: () => number;
  #running = 0;
  readonly #waiting = new Queue<Waiting>();
  #isAdmitting = false;

  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** How many calls run at once. */
  get limit(): number {
    return this.#limit();
  }

  /** Lets `call` enter as soon as there is room, at once if there is. */
  queue(call: Waiting): void {
    if (this.#running >= this.#limit()) this.#waiting.push(call);
    else this.#admit(call);
  }

  /** Makes room for the next; also while a call waits for its caller's own code, which may send through the same gate. */
  leave(): void {
    this.#running--;
    // One that leaves as it enters, being aborted meanwhile, is seen by the loop that let it in.
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    try {
      this.#admitWaiting();
    } finally {
      this.#isAdmitting = false;
    }
  }

  #admitWaiting(): void {
    while (this.#running < this.#limit()) {
      const call = this.#waiting.shift();
      if (call === undefined) return;
      this.#admit(call);
    }
  }

  /** Takes its place back after {@link leave}, without waiting. */
  resume(): void {
    this.#running++;
  }

  #admit(call: Waiting): void {
    this.#running++;
    call.enter();
  }
}
