import type { AnyOptionTable } from '../options/option-table.ts';
import { choosing, FAILOVER_OPTIONS, type FailoverOptions } from './choosing.ts';
import { WrapperBackend, type WrapperClock } from './wrapper-backend.ts';

/** Sends each message over the next connection in turn, and over the others as `failover` does. */
export class RoundRobinBackend extends WrapperBackend {
  /** What options are checked against, and read from URLs. */
  static readonly optionTable: AnyOptionTable = FAILOVER_OPTIONS;
  override readonly name = 'round-robin';

  /** @throws {ConfigurationError} `invalid-option`, `unknown-option`, `invalid-backend` */
  constructor(options: FailoverOptions, clock: WrapperClock = {}) {
    super(
      options,
      choosing('round-robin', options, clock, ({ length }) => {
        let turn = 0;
        const orders = Array.from({ length }, (_, from) =>
          Array.from({ length }, (_, place) => (from + place) % length),
        );
        return (first) => orders[first ?? turn++ % length] ?? [];
      }),
    );
  }
}
