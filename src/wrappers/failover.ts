import type { AnyOptionTable } from '../options/option-table.ts';
import { choosing, FAILOVER_OPTIONS, type FailoverOptions } from './choosing.ts';
import { WrapperBackend, type WrapperClock } from './wrapper-backend.ts';

/**
 * Sends over the first connection; the others get, in order, what it certainly did not send and another one may: what may succeed
 * later, and what was refused for the sake of the connection, the login or the account. A user who does not exist, and a mail that
 * may have been sent, go nowhere else.
 *
 * It can do what all of them can.
 */
export class FailoverBackend extends WrapperBackend {
  /** What options are checked against, and read from URLs. */
  static readonly optionTable: AnyOptionTable = FAILOVER_OPTIONS;
  override readonly name = 'failover';

  /** @throws {ConfigurationError} `invalid-option`, `unknown-option`, `invalid-backend` */
  constructor(options: FailoverOptions, clock: WrapperClock = {}) {
    super(
      options,
      choosing('failover', options, clock, (parts) => {
        const all = [...parts.keys()];
        return () => all;
      }),
    );
  }
}
