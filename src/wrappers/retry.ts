import { RETRY_OPTION } from '../backend/backend.ts';
import type { RecipientStatus } from '../model/status.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';
import { backoffMs, type RetryOptions, resolveRetry } from '../util/backoff.ts';
import { partsOf } from './parts.ts';
import type { EndedTry, NextTry, Rules } from './rules.ts';
import { WrapperBackend, type WrapperClock } from './wrapper-backend.ts';
import { WRAPPER_OPTIONS, type WrapperOptions } from './wrapper-options.ts';

/** Options of {@link RetryBackend}; `attempts` is 3 by default. */
export interface RetryBackendOptions extends WrapperOptions, RetryOptions {}

const ATTEMPTS = 3;

/**
 * Tries again, over the one connection, what is certainly not sent and may succeed later. The connection's own `retry` does not
 * count meanwhile: tries never multiply. What a quota holds back is left alone, as it is given back too late.
 */
export class RetryBackend extends WrapperBackend {
  /** What options are checked against, and read from URLs. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...WRAPPER_OPTIONS,
      ...(RETRY_OPTION.type === 'object' ? RETRY_OPTION.fields : {}),
    }) as OptionTable<RetryBackendOptions>)();

  override readonly name = 'retry';

  /** @throws {ConfigurationError} `invalid-option`, `unknown-option`, `invalid-backend` */
  constructor(options: RetryBackendOptions, { clock, random }: WrapperClock = {}) {
    const parts = partsOf('retry', options.connections, 1);
    const { attempts = ATTEMPTS, baseMs, maxMs } = options;
    const retry = resolveRetry({ attempts, ...(baseMs && { baseMs }), ...(maxMs && { maxMs }) });
    const rules = new Retrying(retry, random);
    const { features } = parts[0].part.facts;
    super(options, { parts, rules, features, needs: 'all', clock });
  }
}

class Retrying implements Rules {
  readonly isTriedOnce = true;
  readonly triesAgain: boolean;
  readonly #retry: Required<RetryOptions>;
  readonly #random: () => number;

  constructor(retry: Required<RetryOptions>, random: () => number = Math.random) {
    this.triesAgain = retry.attempts > 1;
    this.#retry = retry;
    this.#random = random;
  }

  first(): number {
    return 0;
  }

  goesOn({ retryable, error }: RecipientStatus): boolean {
    return retryable && error?.code !== 'quota';
  }

  next({ places, left, isTriedOnce }: EndedTry): NextTry | null {
    const { attempts } = this.#retry;
    if (places.length >= (isTriedOnce ? 1 : attempts)) return null;
    const retryAfterMs = Math.max(0, ...left.map(({ error }) => error?.retryAfterMs ?? 0));
    return { place: 0, afterMs: backoffMs(this.#retry, places.length, { retryAfterMs, random: this.#random }) };
  }
}
