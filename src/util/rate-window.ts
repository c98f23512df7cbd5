/** A window is counted in this many parts. */
const PARTS = 100;

/** Limits how many go within any time of a given length. Counted in parts of it, so that a day takes no more memory than a minute. */
export class RateWindow {
  readonly name: string;
  /** In milliseconds. */
  readonly lengthMs: number;
  readonly max: number;
  /** Oldest first; `end` is when the last one of that part of the window may have gone. */
  readonly #parts: { readonly end: number; count: number }[] = [];
  #count = 0;

  constructor(name: string, lengthMs: number, max: number) {
    this.name = name;
    this.lengthMs = lengthMs;
    this.max = max;
  }

  /** How many more may go now. */
  left(now: number): number {
    this.#forgetOld(now);
    return Math.max(0, this.max - this.#count);
  }

  /** When there is room for `count`; more than ever fit go alone. */
  roomAt(count: number, now: number): number {
    this.#forgetOld(now);
    let sum = this.#count;
    let at = Number.NEGATIVE_INFINITY;
    for (const part of this.#parts) {
      if (sum + count <= this.max) break;
      at = part.end + this.lengthMs;
      sum -= part.count;
    }
    return at;
  }

  add(count: number, now: number): void {
    const length = this.lengthMs / PARTS;
    const end = (Math.floor(now / length) + 1) * length;
    const latest = this.#parts.at(-1);
    if (latest?.end === end) latest.count += count;
    else this.#parts.push({ end, count });
    this.#count += count;
  }

  #forgetOld(now: number): void {
    for (let [oldest] = this.#parts; oldest && oldest.end + this.lengthMs <= now; [oldest] = this.#parts) {
      this.#count -= oldest.count;
      this.#parts.shift();
    }
  }
}
