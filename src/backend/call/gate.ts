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
  #isHeld = false;

  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** How many calls run at once. */
  get limit(): number {
    return this.#limit();
  }

  /** Whether nobody is let in, see {@link holdDuring}. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Lets nobody in before `loading` has settled; whoever needs what failed to load finds that out. */
  async holdDuring(loading: Promise<unknown>): Promise<void> {
    this.#isHeld = true;
    await loading.catch(() => {});
    this.#isHeld = false;
    this.#letIn();
  }

  /** Lets `call` enter as soon as there is room, at once if there is. */
  queue(call: Waiting): void {
    if (this.#hasRoom()) this.#admit(call);
    else this.#waiting.push(call);
  }

  /** Makes room for the next; also while a call waits for its caller's own code, which may send through the same gate. */
  leave(): void {
    this.#running--;
    this.#letIn();
  }

  #hasRoom(): boolean {
    return !this.#isHeld && this.#running < this.#limit();
  }

  #letIn(): void {
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
    while (this.#hasRoom()) {
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
