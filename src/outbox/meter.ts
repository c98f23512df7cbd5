import type { MailState } from './store.ts';
import type { WorkReport } from './work-options.ts';

/** What a try came to. */
const RESULTS = ['sent', 'failed', 'queued', 'in-doubt'] as const;
export type Result = (typeof RESULTS)[number];

/** The upper bounds of the histogram of durations, in seconds. */
export const BOUNDS: readonly number[] = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What the workers of one process have done in a lane. */
export interface LaneMeter {
  /** Tries by what they came to; `queued`, another one follows. */
  readonly results: Record<Result, number>;
  /** How many took no longer than each of {@link BOUNDS}, and longer than the one before; the last one, longer than all. */
  readonly durations: number[];
  /** Of all tries, in seconds. */
  seconds: number;
}

/** Counts what the workers of an outbox do in this process. */
export class Meter {
  readonly lanes: Map<string, LaneMeter> = new Map();

  /** @param ms from the claim until it was written down what became of the mail; null for a mail that was not tried. */
  add(lane: string, result: Result, ms: number | null): void {
    const meter = this.lanes.get(lane) ?? {
      results: { sent: 0, failed: 0, queued: 0, 'in-doubt': 0 },
      durations: Array.from({ length: BOUNDS.length + 1 }, () => 0),
      seconds: 0,
    };
    this.lanes.set(lane, meter);
    meter.results[result]++;
    if (ms === null) return;
    const place = BOUNDS.findIndex((bound) => ms <= bound * 1_000);
    const index = place < 0 ? BOUNDS.length : place;
    meter.durations[index] = (meter.durations[index] ?? 0) + 1;
    meter.seconds += ms / 1_000;
  }
}

/** Counts for the report of one worker, and for all of the process. */
export class Tally {
  readonly #meter: Meter;
  readonly #counts: Record<Result, number> = { sent: 0, failed: 0, queued: 0, 'in-doubt': 0 };

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** @param ms as {@link Meter.add} */
  add(lane: string, to: MailState, ms: number | null = null): void {
    const result = RESULTS.find((each) => each === to);
    if (result === undefined) return;
    this.#counts[result]++;
    this.#meter.add(lane, result, ms);
  }

  get report(): WorkReport {
    const { sent, failed, queued, 'in-doubt': inDoubt } = this.#counts;
    return { sent, failed, retried: queued, inDoubt };
  }
}
