import type { AuthAttempt } from './auth.ts';
import type { Parameters } from './command-parser.ts';
import type { SmtpSession } from './session.ts';

/** A value, or the promise of it: a hook that answers at once costs no turn of the event loop. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * What a hook lets the server say: nothing (`undefined`) for the usual reply; a string for this reply
 * (`550 5.1.1 No such user`; further lines after a line feed, without their code); octets to be sent as they are; null
 * for silence. What begins with 2 or 3 accepts, all else refuses what was asked; the string `421 ...` ends the
 * connection as well.
 */
export type Answer = Reply | null | undefined;

/** A reply's text, or its octets as they are. */
export type Reply = string | Uint8Array;

/** Sender, recipients and their ESMTP parameters as the client gave them. */
export interface Envelope {
  /** The address of MAIL FROM, without brackets; '' for the null sender. */
  readonly mailFrom: string;
  /** The accepted addresses of RCPT TO, in order, without brackets. */
  readonly rcptTo: readonly string[];
  /** The ESMTP parameters: of MAIL, and of each accepted RCPT in the order of `rcptTo`. */
  readonly parameters: { readonly mail: Parameters; readonly rcpt: readonly Parameters[] };
}

/** One mail, after its last byte. */
export interface ReceivedMail {
  /** Who it is from and for. */
  readonly envelope: Envelope;
  /** The content with dot-stuffing undone, byte for byte; it ends with CRLF when it came by DATA. */
  readonly bytes: Uint8Array;
}

/** The decisions of a receiver; each is optional, and without it the server accepts as RFC 5321 has it. */
export interface SmtpServerHooks {
  /** Decides the greeting. */
  onConnect?(session: SmtpSession): Awaitable<Answer>;
  /**
   * Sees every command before it is obeyed: the verb in upper case and what follows it. A line that answers a 334
   * challenge comes with the verb `RESPONSE`. A reply of 2xx or 3xx is said in place of the usual one.
   */
  onCommand?(verb: string, argument: string, session: SmtpSession): Awaitable<Answer>;
  /** Judges credentials: true, false, or a reply. AUTH is offered only when this hook exists. */
  onAuth?(attempt: AuthAttempt, session: SmtpSession): Awaitable<boolean | Reply>;
  /** Decides on a sender; the address is '' for the null sender. */
  onMail?(address: string, parameters: Parameters, session: SmtpSession): Awaitable<Answer>;
  /** Decides on a recipient. */
  onRcpt?(address: string, parameters: Parameters, session: SmtpSession): Awaitable<Answer>;
  /** Takes a mail, after its last byte. For LMTP it may give one answer for each recipient. */
  onMessage?(mail: ReceivedMail, session: SmtpSession): Awaitable<Answer | readonly Answer[]>;
  /** Sees bytes as they arrive, decrypted; what it returns is what the server reads. */
  onReceive?(bytes: Uint8Array, session: SmtpSession): Uint8Array;
  /** Sees bytes before they leave, not yet encrypted; what it returns is what is sent. */
  onSend?(bytes: Uint8Array, session: SmtpSession): Uint8Array;
  /** Is told that a connection has ended. */
  onClose?(session: SmtpSession): void;
}
