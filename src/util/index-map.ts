/**
 * A map from whole numbers of at least 0, for entries that come and go by the million.
 *
 * A `Map` would do, but V8 links every outgrown hash table to the next one, which keeps old entries alive during minor garbage
 * collections: bulk mail spent a quarter of its time there. This one reuses its slots in place.
 */
export class IndexMap<T> {
  #keys: number[] = [FREE, FREE];
  #values: (T | undefined)[] = [undefined, undefined];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): T | undefined {
    const slot = this.#find(key);
    return this.#keys[slot] === key ? this.#values[slot] : undefined;
  }

  set(key: number, value: T): void {
    let slot = this.#find(key);
    if (this.#keys[slot] !== key) {
      if (2 * ++this.#size > this.#keys.length) {
        this.#grow();
        slot = this.#find(key);
      }
      this.#keys[slot] = key;
    }
    this.#values[slot] = value;
  }

  delete(key: number): void {
    const mask = this.#keys.length - 1;
    let hole = this.#find(key);
    if (this.#keys[hole] !== key) return;
    this.#size--;
    // Entries displaced past the hole by a collision move up, so that they are still found.
    for (let slot = (hole + 1) & mask; this.#keys[slot] !== FREE; slot = (slot + 1) & mask) {
      const home = (this.#keys[slot] ?? FREE) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#keys[hole] = this.#keys[slot] ?? FREE;
      this.#values[hole] = this.#values[slot];
      hole = slot;
    }
    this.#keys[hole] = FREE;
    this.#values[hole] = undefined;
  }

  values(): readonly T[] {
    return this.#values.filter((_, slot) => this.#keys[slot] !== FREE) as readonly T[]; // the slots that are not free
  }

  /** The slot of a key, or the free one where it belongs; there is always one. */
  #find(key: number): number {
    const mask = this.#keys.length - 1;
    let slot = key & mask;
    while (this.#keys[slot] !== key && this.#keys[slot] !== FREE) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Array(2 * keys.length).fill(FREE);
    this.#values = new Array(2 * keys.length).fill(undefined);
    for (const [slot, key] of keys.entries()) {
      if (key === FREE) continue;
      const moved = this.#find(key);
      this.#keys[moved] = key;
      this.#values[moved] = values[slot];
    }
  }
}

const FREE = -1;
