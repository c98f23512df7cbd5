import type { EmailError, ServerReply } from '../../model/errors.ts';
import type { Capabilities } from '../protocol/capabilities.ts';

/** One recipient: the address, and the values of the RCPT parameters NOTIFY and ORCPT (RFC 3461). */
export interface EnvelopeRecipient {
  /** The address as it goes on the wire: domain in A-labels. */
  readonly address: string;
  readonly notify?: string;
  /** `rfc822;user@example.com`; it is encoded here. */
  readonly orcpt?: string;
}

/** Who a message is from and for, apart from what its header says. */
export interface Envelope {
  /** The return path; '' is the null sender. */
  readonly sender: string;
  readonly recipients: readonly EnvelopeRecipient[];
  /** Whether an address or header needs SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8?: boolean;
  readonly requireTls?: boolean;
  /** RET and ENVID (RFC 3461); the envid is encoded here. */
  readonly ret?: 'FULL' | 'HDRS';
  readonly envid?: string;
}

/** A message as bytes with CRLF line ends: in memory, or streamed with its size when that is known. */
export type Content = Uint8Array | { readonly chunks: AsyncIterable<Uint8Array>; readonly size: number | null };

/** What became of one recipient: the server's answer, and the error unless it was accepted. */
export interface RecipientOutcome {
  readonly reply: ServerReply | null;
  readonly error: EmailError | null;
}

/** A message to deliver. */
export interface Submission {
  readonly envelope: Envelope;
  /** Makes the content when its turn comes; called once more only when it has to be sent again and was a stream. */
  compose(capabilities: Capabilities): Content;
  /** The texts that a server's reply may quote: subject and bodies. */
  contentTexts(): readonly string[];
  /** Asked before it is started, over however many connections; gives why it may not be sent, or null. It never rejects. */
  readonly beforeCommit?: () => Promise<EmailError | null>;
  /** Called once, with an outcome for every recipient of the envelope, in its order. */
  settle(outcomes: readonly RecipientOutcome[]): void;
}

/** One submission on its way: what is known of its recipients, over as many transactions as it takes. */
export class Delivery {
  readonly submission: Submission;
  readonly outcomes: (RecipientOutcome | undefined)[];
  /** The bytes, kept so that a further transaction sends the same; and whether they may need 8BITMIME. */
  #content: Content | null = null;
  #mayBeEightBit = false;
  /** How many sessions seem to have ended because of it. */
  hangUps = 0;
  /** The most recipients of a transaction, when a server ended the session over more; 0 when it is not known. */
  recipientLimit = 0;
  isSettled = false;
  /** Whether somebody must be asked before it may be started. */
  readonly needsCommit: boolean;

  constructor(submission: Submission) {
    this.submission = submission;
    this.needsCommit = submission.beforeCommit !== undefined;
    this.outcomes = submission.envelope.recipients.map(() => undefined); // never sparse: includes() finds what is open
  }

  /** The recipients of which nothing is known yet, as indexes of the envelope. */
  get open(): number[] {
    const open: number[] = [];
    for (let index = 0; index < this.outcomes.length; index++) if (!this.outcomes[index]) open.push(index);
    return open;
  }

  /** Whether something is known of every recipient. */
  get isComplete(): boolean {
    return !this.outcomes.includes(undefined);
  }

  /** Why it may not be sent; null: it may. */
  async askToCommit(): Promise<EmailError | null> {
    return (await this.submission.beforeCommit?.()) ?? null;
  }

  /** The content for such a server: the same for all, unless it was made for 8BITMIME and this one has none. */
  contentFor(capabilities: Capabilities): Content {
    if (this.#content === null || (this.#mayBeEightBit && !capabilities.eightBitMime)) {
      this.#content = this.submission.compose(capabilities);
      this.#mayBeEightBit = capabilities.eightBitMime;
    }
    return this.#content;
  }

  /** Ends it; `outcome` is for the recipients of which nothing is known. */
  settle(outcome?: RecipientOutcome): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.#content = null;
    if (outcome) for (const index of this.open) this.outcomes[index] = outcome;
    // Every recipient has an outcome by now: the callers settle only then, or give one for the rest.
    this.submission.settle(this.outcomes as RecipientOutcome[]);
  }
}
