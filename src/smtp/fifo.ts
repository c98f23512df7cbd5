/** A queue whose both ends cost constant time, however long it is. */
export class Fifo<T> {
  readonly #front: T[] = [];
  #back: T[] = [];
  #head = 0;

  get size(): number {
    return this.#front.length + this.#back.length - this.#head;
  }

  get first(): T | undefined {
    return this.#head < this.#back.length || this.#front.length > 0
      ? (this.#front.at(-1) ?? this.#back[this.#head])
      : undefined;
  }

  push(value: T): void {
    this.#back.push(value);
  }

  unshift(value: T): void {
    this.#front.push(value);
  }

  shift(): T | undefined {
    if (this.#front.length > 0) return this.#front.pop();
    if (this.#head === this.#back.length) return undefined;
    const value = this.#back[this.#head];
    this.#head++;
    // Releases what was taken, rarely enough to cost nothing for each.
    if (this.#head >= 1024 && this.#head * 2 >= this.#back.length) {
      this.#back = this.#back.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }
}
