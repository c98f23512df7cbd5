import type { KillPlan } from './kill-trial.ts';

/** `npm run outbox:faults` runs all of it. */
export const isWhole: boolean = process.env['OUTBOX_FAULTS'] === 'all';

export const PLAN: KillPlan = isWhole
  ? { mails: 2_000, workers: 3, kills: 100, sleeps: 20, latestMs: 30 }
  : { mails: 200, workers: 3, kills: 8, sleeps: 2, latestMs: 30 };

/** What doubles mails where marks are written too late: a worker is killed as soon as a mail of its was taken. */
export const NAIVE_PLAN: KillPlan = { ...PLAN, workers: 1, kills: isWhole ? 100 : 6, sleeps: 0, latestMs: 0 };

/** How many processes die right after they have written a mail down. */
export const PRODUCERS: number = isWhole ? 40 : 4;

export const TIMEOUT_MS: number = isWhole ? 900_000 : 240_000;
