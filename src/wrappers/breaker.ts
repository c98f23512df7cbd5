import type { DeliveryResult } from '../backend/job.ts';
import { EmailConnectionError, type EmailError } from '../model/errors.ts';
import type { Clock } from '../util/clock.ts';

/** Refusals that are about the account, whatever the mail. */
const OF_ACCOUNT: ReadonlySet<string> = /* @__PURE__ */ new Set(['account', 'quota', 'throttled']);

/** Failures that leave open whether the connection works. */
const SAYS_NOTHING: ReadonlySet<string> = new Set(['aborted', 'cancelled', 'source', 'unsupported-feature']);

/** Whether an error is about the connection or the account, and so about every mail; never one after which a mail may be sent. */
export function isOfConnection(error: EmailError): boolean {
  if (error.outcome !== 'not-sent' || error.code === 'aborted') return false;
  return error instanceof EmailConnectionError || error.phase === 'configuration' || OF_ACCOUNT.has(error.code);
}

interface State {
  /** When it may be tried again. */
  restsUntil: number;
  /** Whether its last try failed, so that the next one is a probe. */
  isOpen: boolean;
  isProbing: boolean;
}

/** Circuit breakers: a connection that fails rests for a while, and then one mail tries it for all. */
export class Breaker {
  readonly #states: readonly State[];
  readonly #cooldownMs: number;
  readonly #clock: Clock;

  constructor(count: number, cooldownMs: number, clock: Clock) {
    this.#states = Array.from({ length: count }, () => ({ restsUntil: 0, isOpen: false, isProbing: false }));
    this.#cooldownMs = cooldownMs;
    this.#clock = clock;
  }

  /** Whether the connection is to be tried now, as far as there is a choice. */
  isReady(place: number): boolean {
    const state = this.#states[place];
    if (state === undefined || !state.isOpen) return true;
    return !state.isProbing && this.#clock.now() >= state.restsUntil;
  }

  begun(place: number): void {
    const state = this.#states[place];
    if (state?.isOpen) state.isProbing = true;
  }

  /** A try has ended; one that was broken off (null), or failed for other reasons, says nothing of the connection. */
  ended(place: number, answer: DeliveryResult | null, isLate: boolean): void {
    const state = this.#states[place];
    if (state === undefined) return;
    state.isProbing = false;
    const restMs = answer === null ? null : this.#restMs(answer, isLate || state.isOpen);
    if (restMs === null) return;
    if (restMs > 0) state.restsUntil = this.#clock.now() + restMs;
    state.isOpen = restMs > 0;
  }

  /** How long a connection rests after this answer; one that is throttled only as long as it says. Null: as long as it did. */
  #restMs({ error, recipients }: DeliveryResult, mustAnswer: boolean): number | null {
    if (!error) for (const recipient of recipients.values()) if (recipient.error === null) return 0; // it took the mail
    let restMs: number | null = null;
    const errors = error ? [error] : [...recipients.values()].map((recipient) => recipient.error);
    for (const each of errors) {
      if (each !== null && isOfConnection(each)) {
        const { code, retryAfterMs } = each;
        const least = code === 'throttled' || code === 'quota' ? 0 : this.#cooldownMs;
        restMs = Math.max(restMs ?? 0, least, retryAfterMs ?? 0);
      } else if (each?.code === 'timeout' || each?.outcome === 'unknown') {
        // No answer in its own time, or to a probe, is no reason to give it more.
        if (mustAnswer) restMs = Math.max(restMs ?? 0, this.#cooldownMs);
      } else if (each !== null && !SAYS_NOTHING.has(each.code)) return 0; // it refused one for the mail's own sake
    }
    return restMs;
  }
}
