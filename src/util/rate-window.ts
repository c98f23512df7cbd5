/** A window is counted in this many parts. */
const PARTS = 100;

/** The windows of rates by their names, in milliseconds. */
export const WINDOWS_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** How many have gone in a part of a window; `end` is when the last one of it may have gone. */
export interface WindowPart {
  readonly end: number;
  count: number;
}

/** Limits how many go within any time of a given length. Counted in parts of it, so that a day takes no more memory than a minute. */
export class RateWindow {
  readonly name: string;
  /** In milliseconds. */
  readonly lengthMs: number;
  readonly max: number;
  /** Oldest first. */
  readonly #parts: WindowPart[];
  #count: number;

  /** @param parts what has gone before, oldest first */
  constructor(name: string, lengthMs: number, max: number, parts: readonly WindowPart[] = []) {
    this.name = name;
    this.lengthMs = lengthMs;
    this.max = max;
    this.#parts = [...parts];
    this.#count = parts.reduce((sum, { count }) => sum + count, 0);
  }

  get partMs(): number {
    return this.lengthMs / PARTS;
  }

  /** What has gone, oldest first. */
  parts(now: number): readonly WindowPart[] {
    this.#forgetOld(now);
    return this.#parts;
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
    const end = (Math.floor(now / this.partMs) + 1) * this.partMs;
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
