import { performance } from 'node:perf_hooks';
import { UsageError } from '../usage-error.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Reads `10/s`, `600/m` or `1000/h` as a number a second. @throws {UsageError} when it is none of them */
export function parseRate(text: string): number {
  const [, number, unit = 's'] = /^(\d{1,9}(?:\.\d{1,9})?)(?:\/([smh]))?$/.exec(text) ?? [];
  const rate = Number(number) / (SECONDS[unit] ?? 1);
  if (rate > 0) return rate;
  throw new UsageError(`--rate must be a number with /s, /m or /h, such as 10/s, got ${text}`);
}

/** Timers are late by so much; what they lose is made up for, and no more. */
const SLACK_MS = 20;

/** Spreads turns evenly: on average never more than `rate` a second. */
export class Pace {
  readonly #intervalMs: number;
  readonly #now: () => number;
  #next = 0;

  constructor(rate: number, now: () => number = () => performance.now()) {
    this.#intervalMs = 1000 / rate;
    this.#now = now;
  }

  /** The milliseconds to wait before the next turn, which is counted as taken. */
  take(): number {
    const now = this.#now();
    const due = Math.max(now - SLACK_MS, this.#next);
    this.#next = due + this.#intervalMs;
    return Math.max(0, due - now);
  }
}
