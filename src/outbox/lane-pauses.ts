import type { ClaimedMail, Pause } from './store.ts';

/** The first pause of a lane; each further one is twice as long. */
const PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 900_000;

/** How often in a row the lanes of a worker were paused. */
export class LanePauses {
  readonly #times = new Map<string, number>();

  /** How long the lane of a mail would be paused, in milliseconds. */
  msFor(claimed: ClaimedMail): number {
    return Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** (this.#timesFor(claimed) - 1));
  }

  /** The lane of a mail is paused. */
  pause(claimed: ClaimedMail, reason: string): Pause {
    const ms = this.msFor(claimed);
    this.#times.set(claimed.lane, this.#timesFor(claimed));
    return { lane: claimed.lane, ms, reason };
  }

  /** A mail of the lane went without a fault of the connection. */
  clear(lane: string): void {
    this.#times.delete(lane);
  }

  /** Which pause in a row it would be; what was under way with the first mail that met the fault does not count again. */
  #timesFor({ lane, isProbe }: ClaimedMail): number {
    const before = this.#times.get(lane) ?? 0;
    return isProbe || before === 0 ? before + 1 : before;
  }
}
