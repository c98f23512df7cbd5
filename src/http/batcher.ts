import { nextTurn } from '../util/breathe.ts';

/** Gathers what comes at nearly the same time under one name, so that it goes together. */
export class Batcher<T> {
  readonly #max: number;
  readonly #maxSize: number;
  readonly #flush: (path: string, entries: readonly T[]) => void;
  readonly #waiting = new Map<string, { entries: T[]; size: number }>();
  #isWaiting = false;
  #added = 0;

  /**
   * @param max entries that go together
   * @param maxSize what their sizes may come to
   * @param flush takes them, and never throws
   */
  constructor(max: number, maxSize: number, flush: (path: string, entries: readonly T[]) => void) {
    this.#max = max;
    this.#maxSize = maxSize;
    this.#flush = flush;
  }

  add(path: string, entry: T, size: number): void {
    const waiting = this.#waiting.get(path);
    if (waiting !== undefined && waiting.size + size > this.#maxSize) this.#release(path);
    const batch = this.#waiting.get(path) ?? { entries: [], size: 0 };
    this.#waiting.set(path, batch);
    batch.entries.push(entry);
    batch.size += size;
    this.#added++;
    if (batch.entries.length >= this.#max) this.#release(path);
    else if (!this.#isWaiting) this.#wait(this.#added);
  }

  /** Nothing is waited for but the next turn: what a list or a quick source has is there by then. */
  #wait(added: number): void {
    this.#isWaiting = true;
    nextTurn(() => {
      this.#isWaiting = false;
      if (this.#waiting.size === 0) return;
      if (this.#added > added) this.#wait(this.#added);
      else for (const path of this.#waiting.keys()) this.#release(path);
    });
  }

  #release(path: string): void {
    const { entries = [] } = this.#waiting.get(path) ?? {};
    this.#waiting.delete(path);
    this.#flush(path, entries);
  }
}
