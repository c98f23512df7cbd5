import type { AuthAttempt } from './auth.ts';
import type { Parameters } from './command-parser.ts';
import type { SmtpSession } from './session.ts';

/** A value or a promise of it; a hook that returns a value costs no turn of the event loop. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * A hook's decision on what the server replies: undefined for the usual reply; a string for that reply (`550 5.1.1 No such
 * user`; a line feed begins another line, without code); bytes to send as they are; null for silence. A reply that begins with
 * 2 or 3 accepts the command, any other refuses it, and the string `421 ...` also ends the connection.
 */
export type Answer = Reply | null | undefined;

/** A reply as text, or as bytes to send as they are. */
export type Reply = string | Uint8Array;

/** Sender, recipients and their ESMTP parameters, as given by the client. */
export interface Envelope {
  /** The address of MAIL FROM, without brackets; '' for the null sender. */
  readonly mailFrom: string;
  /** The accepted addresses of RCPT TO, in order, without brackets. */
  readonly rcptTo: readonly string[];
  /** The ESMTP parameters: of MAIL, and of each accepted RCPT in the order of `rcptTo`. */
  readonly parameters: { readonly mail: Parameters; readonly rcpt: readonly Parameters[] };
}

/** One complete mail. */
export interface ReceivedMail {
  /** The sender and the recipients. */
  readonly envelope: Envelope;
  /** The content, byte for byte, with dot-stuffing undone; ends with CRLF when it was sent with DATA. */
  readonly bytes: Uint8Array;
}

/** The decisions of the server. Each hook is optional; without it the server accepts whatever RFC 5321 allows. */
export interface SmtpServerHooks {
  /** Decides the greeting. */
  onConnect?(session: SmtpSession): Awaitable<Answer>;
  /**
   * Sees every command before it is carried out: the upper-case verb and the text after it. A response to a 334 challenge has
   * the verb `RESPONSE`. A 2xx or 3xx reply replaces the usual one.
   */
  onCommand?(verb: string, argument: string, session: SmtpSession): Awaitable<Answer>;
  /** Judges credentials: true, false, or a reply. AUTH is offered only when this hook exists. */
  onAuth?(attempt: AuthAttempt, session: SmtpSession): Awaitable<boolean | Reply>;
  /** Decides on a sender; the address is '' for the null sender. */
  onMail?(address: string, parameters: Parameters, session: SmtpSession): Awaitable<Answer>;
  /** Decides on a recipient. */
  onRcpt?(address: string, parameters: Parameters, session: SmtpSession): Awaitable<Answer>;
  /** Decides on a complete mail; for LMTP, possibly with one answer per recipient. */
  onMessage?(mail: ReceivedMail, session: SmtpSession): Awaitable<Answer | readonly Answer[]>;
  /** Sees bytes as they arrive, decrypted; the server reads what it returns. */
  onReceive?(bytes: Uint8Array, session: SmtpSession): Uint8Array;
  /** Sees bytes before they are encrypted and sent; the server sends what it returns. */
  onSend?(bytes: Uint8Array, session: SmtpSession): Uint8Array;
  /** Called when a connection has ended. */
  onClose?(session: SmtpSession): void;
}
