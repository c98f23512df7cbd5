import type { Part } from '../backend/part.ts';
import type { AnyOptionTable } from '../options/option-table.ts';
import type { Copies } from './copies.ts';
import { partsOf } from './parts.ts';
import type { Rules } from './rules.ts';
import { WrapperBackend, type WrapperClock, type WrapperStats } from './wrapper-backend.ts';
import { WRAPPER_OPTIONS, type WrapperOptions } from './wrapper-options.ts';

/** What {@link MirrorBackend.stats} tells. */
export interface MirrorStats extends WrapperStats {
  /** Copies that were not made because too many were under way. */
  readonly leftOut: number;
}

/**
 * Sends over the first connection, and a copy of what was, or may have been, sent over the second one, such as a mailbox. What
 * becomes of the copy changes nothing, and nobody waits for it but `close`.
 */
export class MirrorBackend extends WrapperBackend {
  /** What options are checked against, and read from URLs: two connections. */
  static readonly optionTable: AnyOptionTable = WRAPPER_OPTIONS;
  override readonly name = 'mirror';
  readonly #mirroring: Mirroring;

  /** @throws {ConfigurationError} `invalid-option`, `unknown-option`, `invalid-backend` */
  constructor(options: WrapperOptions, { clock }: WrapperClock = {}) {
    const parts = partsOf('mirror', options.connections, 2);
    const [main, copy] = parts;
    const mirroring = new Mirroring(copy.part);
    super(options, { parts, rules: mirroring, features: main.part.facts.features, needs: 'first', clock });
    this.#mirroring = mirroring;
  }

  override stats(): MirrorStats {
    return { ...super.stats(), leftOut: this.#mirroring.copies.leftOut };
  }
}

class Mirroring implements Rules {
  /** The copy is another try: the same Message-ID, and the content once more. */
  readonly triesAgain = true;
  readonly copies: Copies;

  constructor(part: Part) {
    this.copies = { part, underWay: 0, leftOut: 0 };
  }

  first(): number {
    return 0;
  }
}
