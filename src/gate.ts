/**
 * Lets a limited number of calls run at once and the rest wait, first in, first out, so that a hundred thousand sends at
 * once cost the memory of their messages and little else.
 */
export class Gate {
  readonly #limit: () => number;
  #running = 0;
  #waiting: (() => void)[] = [];
  #first = 0;

  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Runs `start` as soon as there is room, at once if there is. */
  enter(start: () => void): void {
    if (this.#running >= this.#limit()) {
      this.#waiting.push(start);
      return;
    }
    this.#running++;
    start();
  }

  /** Makes room for the next; also while a call waits for its caller's own code, which may send through the same gate. */
  leave(): void {
    this.#running--;
    while (this.#running < this.#limit()) {
      const start = this.#waiting[this.#first];
      if (start === undefined) return;
      this.#first++;
      if (this.#first * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#first);
        this.#first = 0;
      }
      this.#running++;
      start();
    }
  }

  /** Takes its place back after {@link leave}, without waiting. */
  resume(): void {
    this.#running++;
  }
}
