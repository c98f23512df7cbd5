import type { EmailError, ErrorPhase, MessageIssue, Outcome, ServerReply } from './errors.ts';
import type { SendStatus } from './status.ts';

/** What the accessors of an error return, by their names. */
export interface ErrorFacts {
  readonly phase: ErrorPhase;
  readonly retryable: boolean;
  readonly outcome: Outcome;
  readonly reply: ServerReply | null;
  readonly transcript: readonly string[] | null;
  readonly status: SendStatus | null;
  readonly retryAfterMs?: number | null;
  readonly option?: string | null;
  readonly otherOptions?: readonly string[];
  readonly variable?: string | null;
  readonly issues?: readonly MessageIssue[];
  readonly features?: readonly string[];
}

/** Where an error keeps its facts; another copy of this package, of any version, finds them there. */
const FACTS = Symbol.for('amsdal-mail.facts');

/** The facts of an error; empty for an object that merely has its prototype. */
export function factsOf(error: EmailError): ErrorFacts {
  return Reflect.get(error, FACTS) ?? {};
}

export function setFacts(error: EmailError, facts: ErrorFacts): void {
  Object.defineProperty(error, FACTS, { value: facts, configurable: true });
}
