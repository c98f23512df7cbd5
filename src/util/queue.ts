/** A first-in, first-out queue; both ends take constant time, and removed items are not kept alive. */
export class Queue<T> {
  #items: (T | undefined)[] = [];
  #first = 0;

  get size(): number {
    return this.#items.length - this.#first;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.#first === 0 && this.#items.length <= 1) return this.#items.pop(); // the usual case
    const item = this.#items[this.#first];
    this.#items[this.#first++] = undefined;
    if (2 * this.#first >= this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}
