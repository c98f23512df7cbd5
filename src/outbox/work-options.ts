import type { OptionTable } from '../options/option-table.ts';
import { isObject } from '../util/json.ts';

/** The settings of `outbox.work`. */
export interface WorkOptions {
  /** Ends it: nothing more is claimed, what is under way is finished. */
  readonly signal?: AbortSignal | undefined;
  /** How many mails it has at once; default 100. */
  readonly concurrency?: number | undefined;
  /** The lanes it serves; default: all. */
  readonly lanes?: readonly string[] | undefined;
  /** Ends once nothing is due but what its rate keeps back for longer than two seconds; default false. */
  readonly once?: boolean | undefined;
  /** How long what is under way may take after the end, in milliseconds, before it is left in doubt; default 30,000. */
  readonly drainMs?: number | undefined;
  /** Told after each group of mails. */
  readonly onProgress?: ((report: WorkReport) => void) | undefined;
}

const isNames = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');

/** What a worker accepts. */
export const WORK_OPTIONS: OptionTable<WorkOptions> = /* @__PURE__ */ (() => ({
  signal: { type: 'custom', expected: 'an AbortSignal', check: (value) => isObject(value) && 'aborted' in value },
  concurrency: { type: 'integer', min: 1 },
  lanes: { type: 'custom', expected: 'a list of lanes, one or more', check: isNames },
  once: { type: 'boolean' },
  drainMs: { type: 'integer', min: 0, max: 2_147_483_647 },
  onProgress: { type: 'custom', expected: 'a function', check: (value) => typeof value === 'function' },
}))();

/** What a worker has done so far. */
export interface WorkReport {
  /** Mails that everybody has. */
  readonly sent: number;
  /** Mails of which nothing more is tried. */
  readonly failed: number;
  /** Tries that other tries follow. */
  readonly retried: number;
  /** Mails that were perhaps sent. */
  readonly inDoubt: number;
}
