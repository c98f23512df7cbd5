import { nextTurn } from '../util/breathe.ts';
import { type Json, JsonList, octetsOf } from './json.ts';
import type { Batch } from './provider.ts';

/** What goes together. */
interface Together<T> {
  readonly entries: T[];
  readonly list: JsonList;
  octets: number;
}

/** Gathers what comes at nearly the same time for one path, so that it goes together. */
export class Batcher<T> {
  readonly #batch: Batch;
  readonly #flush: (path: string, entries: readonly T[], list: JsonList) => void;
  readonly #waiting = new Map<string, Together<T>>();
  #isWaiting = false;
  #added = 0;

  /** @param flush takes what goes together, and never throws */
  constructor(batch: Batch, flush: (path: string, entries: readonly T[], list: JsonList) => void) {
    this.#batch = batch;
    this.#flush = flush;
  }

  add(path: string, entry: T, json: Json): void {
    const { max, maxSize, around } = this.#batch;
    const octets = octetsOf(json);
    if ((this.#waiting.get(path)?.octets ?? 0) + octets > maxSize) this.#release(path);
    const waiting = this.#waiting.get(path) ?? { entries: [], list: new JsonList(around(path)), octets: 0 };
    this.#waiting.set(path, waiting);
    waiting.entries.push(entry);
    waiting.list.add(json);
    waiting.octets += octets;
    this.#added++;
    if (waiting.entries.length >= max) this.#release(path);
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
    const waiting = this.#waiting.get(path);
    this.#waiting.delete(path);
    if (waiting !== undefined) this.#flush(path, waiting.entries, waiting.list);
  }
}
