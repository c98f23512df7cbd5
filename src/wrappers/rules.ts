import type { DeliveryResult } from '../backend/job.ts';
import type { EmailMessage } from '../model/message.ts';
import type { RecipientStatus } from '../model/status.ts';
import type { Copies } from './copies.ts';

/** A try that has ended, of a mail that is not through for everybody. */
export interface EndedTry {
  /** The places of the connections that were tried, in order. */
  readonly places: readonly number[];
  /** The recipients that {@link Rules.goesOn} lets go on. */
  readonly left: readonly RecipientStatus[];
  /** Whoever gave the job tries again itself. */
  readonly isTriedOnce: boolean;
}

/** Which connection tries next, and when. */
export interface NextTry {
  /** The connection's place. */
  readonly place: number;
  /** How long to wait before, in milliseconds. */
  readonly afterMs: number;
}

/** What a wrapper decides; whoever delivers asks, in this order. */
export interface Rules {
  /** Whether several tries may be made for one recipient. */
  readonly triesAgain: boolean;
  /** Whether the connection that tries is to leave further tries to this wrapper. */
  readonly isTriedOnce?: true;
  /** When so many recipients may go: waits, or throws why they may not. */
  turn?(recipients: number, signal: AbortSignal | undefined): Promise<void> | null;
  /** How long so many recipients have to wait, in milliseconds, for whoever blocks meanwhile; 0 takes the turn. Throws as {@link turn}. */
  turnNow?(recipients: number): number;
  /** The place of the connection that tries first. @throws {EmailError} the message's failure */
  first(message: EmailMessage): number;
  /** A try begins at that place. */
  begun?(place: number): void;
  /** The try at that place has ended, perhaps at the connection's own deadline; null when it was broken off before anything was known. */
  ended?(place: number, answer: DeliveryResult | null, isLate: boolean): void;
  /** Whether this recipient, who has nothing for certain, is tried again. */
  goesOn?(recipient: RecipientStatus): boolean;
  /** Where, and when; null: nowhere. */
  next?(ended: EndedTry): NextTry | null;
  /** Where copies of what was sent go. */
  readonly copies?: Copies;
}
