/** The lanes of a worker that their rates keep back for long: nothing of them is claimed meanwhile. */
export class RestingLanes {
  /** By `performance.now()`. */
  readonly #until = new Map<string, number>();

  add(lane: string, ms: number): void {
    this.#until.set(lane, performance.now() + ms);
  }

  has(lane: string): boolean {
    return (this.#until.get(lane) ?? 0) > performance.now();
  }

  /** In how many milliseconds the next one may go on; Infinity when none rests. */
  get nextMs(): number {
    const now = performance.now();
    return Math.min(...[...this.#until.values()].map((until) => until - now).filter((ms) => ms > 0));
  }
}
