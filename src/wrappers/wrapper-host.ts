import type { Clock } from '../util/clock.ts';
import type { NamedPart } from './parts.ts';
import type { Rules } from './rules.ts';
import type { TracedMail } from './trace-try.ts';

/** What a wrapper's calls have in common. */
export interface WrapperHost {
  readonly name: string;
  readonly parts: readonly NamedPart[];
  readonly rules: Rules;
  readonly clock: Clock;
  /** How many wrappers there are within each other, this one included. */
  readonly depth: number;
  /** The mail of an outbox that a job is, by its index; a wrapper has none. */
  mailOf?(index: number): TracedMail | null;
}
