import type { DeliveryResult, Job } from '../backend/job.ts';
import type { Part } from '../backend/part.ts';
import { isDelivered } from '../model/status.ts';
import type { AnyOptionTable } from '../options/option-table.ts';
import { messageFor } from './message-for.ts';
import { partsOf } from './parts.ts';
import type { Rules } from './rules.ts';
import { WrapperBackend, type WrapperClock, type WrapperStats } from './wrapper-backend.ts';
import { WRAPPER_OPTIONS, type WrapperOptions } from './wrapper-options.ts';

/** Copies that may be under way at once; further ones are left out, as they would fill the memory. */
const MOST_COPIES = 1_000;

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
    return { ...super.stats(), leftOut: this.#mirroring.leftOut };
  }
}

class Mirroring implements Rules {
  /** The copy is another try: the same Message-ID, and the content once more. */
  readonly triesAgain = true;
  leftOut = 0;
  readonly #copy: Part;
  #underWay = 0;

  constructor(copy: Part) {
    this.#copy = copy;
  }

  first(): number {
    return 0;
  }

  settled(job: Job, { recipients }: DeliveryResult): void {
    // The others may still get it by another try, which then is copied, too.
    const reached = [...recipients.values()].filter((each) => isDelivered(each) || each.status === 'unknown');
    if (reached.length === 0) return;
    if (this.#underWay >= MOST_COPIES) this.leftOut++;
    else void this.#send({ ...job, message: messageFor(job.message, reached) });
  }

  async #send({ index, message }: Job): Promise<void> {
    this.#underWay++;
    try {
      const admitted = this.#copy.admit({ index, message, signal: undefined });
      if (!('job' in admitted)) {
        this.#copy.count(admitted);
        return;
      }
      const answers = this.#copy.deliver(only(admitted.job), { signal: undefined });
      try {
        for (let step = await answers.next(); step.done !== true; step = await answers.next())
          this.#copy.count(this.#copy.answered(admitted, step.value));
      } finally {
        this.#copy.ended();
      }
    } catch {
      // The copy's failure changes nothing.
    } finally {
      this.#underWay--;
    }
  }
}

async function* only(job: Job): AsyncGenerator<Job, void, undefined> {
  yield job;
}
