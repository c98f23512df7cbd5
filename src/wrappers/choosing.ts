import type { OptionSpec } from '../options/option-table.ts';
import { SYSTEM_CLOCK } from '../util/clock.ts';
import { Breaker } from './breaker.ts';
import { Choice, type Order } from './choice.ts';
import { commonFeatures, type NamedPart, partsOf } from './parts.ts';
import type { WrapperClock, WrapperParts } from './wrapper-backend.ts';
import { WRAPPER_OPTIONS, type WrapperOptions } from './wrapper-options.ts';

/** Options of the wrappers that choose among equal connections. */
export interface FailoverOptions extends WrapperOptions {
  /**
   * How long a connection rests after it failed to connect, to log in, or was refused for its account's sake, in milliseconds;
   * default 60,000. Then one mail tries it. One that is throttled rests as long as the provider asks for.
   */
  readonly cooldownMs?: number;
}

/** The table of {@link FailoverOptions}. */
export const FAILOVER_OPTIONS: { readonly [K in keyof FailoverOptions]-?: OptionSpec } = /* @__PURE__ */ (() => ({
  ...WRAPPER_OPTIONS,
  cooldownMs: { type: 'integer', min: 0, max: 86_400_000 },
}))();

/** What a wrapper that chooses among equal connections consists of. */
export function choosing(
  owner: string,
  { connections, onUnsupported, cooldownMs = 60_000 }: FailoverOptions,
  { clock = SYSTEM_CLOCK }: WrapperClock,
  order: (parts: readonly NamedPart[]) => Order,
): WrapperParts {
  const parts = partsOf(owner, connections);
  const breaker = new Breaker(parts.length, cooldownMs, clock);
  const rules = new Choice(parts.length, order(parts), breaker);
  return { parts, rules, features: commonFeatures(parts, onUnsupported), needs: 'any', clock };
}
