import { setImmediate } from 'node:timers';

/** Items that wait for the next group, and whoever asked. */
interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Does for many at once what is asked for one by one: what comes in one turn of the event loop, or while a group is under way,
 * is the next group. So a hundred mails cost one commit.
 */
export class Grouped<Item, Result> {
  readonly #run: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #most: number;
  readonly #waiting: Waiting<Item, Result>[] = [];
  readonly #idle: (() => void)[] = [];
  #isRunning = false;

  /**
   * @param run gives the results of the items, in their order; what it rejects with, all of them reject with
   * @param most how many at once
   */
  constructor(run: (items: readonly Item[]) => Promise<readonly Result[]>, most = 1_000) {
    this.#run = run;
    this.#most = most;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#isRunning) {
        this.#isRunning = true;
        setImmediate(() => void this.#runAll());
      }
    });
  }

  /** Waits until nothing is under way. */
  idle(): Promise<void> {
    return this.#isRunning ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve();
  }

  async #runAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, this.#most);
      try {
        const results = await this.#run(group.map(({ item }) => item));
        for (const [place, { resolve }] of group.entries()) resolve(results[place] as Result); // one for each
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#isRunning = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
