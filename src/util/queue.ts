/** A first-in, first-out queue; both ends take constant time, and removed items are not kept alive. */
export class Queue<T> {
  #size = 0;
  /** Most queues never hold more than this one: calls make them by the million, and a list costs more than the rest. */
  #next: T | undefined = undefined;
  #later: (T | undefined)[] | null = null;
  #first = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    if (this.#size++ === 0) this.#next = item;
    else {
      this.#later ??= [];
      this.#later.push(item);
    }
  }

  shift(): T | undefined {
    const item = this.#next;
    this.#next = undefined;
    if (this.#size > 0 && --this.#size > 0) this.#next = this.#shiftLater(this.#later ?? []);
    return item;
  }

  #shiftLater(later: (T | undefined)[]): T | undefined {
    const item = later[this.#first];
    later[this.#first++] = undefined;
    if (2 * this.#first >= later.length) {
      this.#later = later.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}
