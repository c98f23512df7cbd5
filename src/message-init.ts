import type { AddressInput } from './address.ts';
import type { AttachmentInit } from './attachment.ts';

/** A further form of the body, such as a calendar invitation or an AMP part. */
export interface Alternative {
  /** The text, sent as UTF-8. */
  readonly content: string;
  /** A media type such as `text/calendar; method=REQUEST` or `text/x-amp-html`. */
  readonly mimetype: string;
}

/** How a reader unsubscribes (RFC 2369, section 3.2); `oneClick` needs an https `url` (RFC 8058). */
export interface ListUnsubscribe {
  /** An https or http address. */
  readonly url?: string;
  /** An address, or a whole `mailto:` URI. */
  readonly mailto?: string;
  /** Whether a POST to `url` unsubscribes without a further question; default: false. */
  readonly oneClick?: boolean;
}

/** Delivery status notifications to ask for (RFC 3461). */
export interface DsnRequest {
  /** When to notify; `'never'` stands alone. */
  readonly notify?: 'never' | readonly ('success' | 'failure' | 'delay')[];
  /** What a failure notice returns of the message. */
  readonly ret?: 'full' | 'headers';
  /** An id that comes back in the notice; at most 100 printable ASCII characters. */
  readonly envid?: string;
  /** The original recipient, `rfc822;user@example.com`. */
  readonly orcpt?: string;
}

/** How urgent a message looks in readers that show it. */
export type Priority = 'high' | 'normal' | 'low';

/** Template variables; whatever JSON can hold. */
export type MergeData = Readonly<Record<string, unknown>>;

/** One address or several; a string is always ONE mailbox, commas do not separate. */
export type AddressList = AddressInput | readonly AddressInput[];

/** What {@link EmailMessage} is made from. */
export interface EmailMessageInit {
  /** One line; it may be empty. */
  readonly subject: string;
  /** Plain text; may be left out when there is a template, an HTML body, an attachment or an alternative. */
  readonly body?: string;
  /** The sender that readers see; one mailbox. */
  readonly fromEmail: AddressInput;
  /** At least one recipient is needed over `to`, `cc` and `bcc`. */
  readonly to?: AddressList;
  /** Receive the mail and stand in its header. */
  readonly cc?: AddressList;
  /** Receive the mail and stand in no header. */
  readonly bcc?: AddressList;
  /** Where answers go; default: to the sender. */
  readonly replyTo?: AddressList;
  /** The text as HTML. */
  readonly htmlBody?: string | null;
  /** Files, and images that the HTML shows. */
  readonly attachments?: readonly AttachmentInit[];
  /** Further forms of the body. */
  readonly alternatives?: readonly Alternative[];
  /** Custom headers; those the library writes itself (From, To, Date, Content-Type, ...) are refused. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Categories for filtering at the provider. */
  readonly tags?: readonly string[];
  /** Key-value tracking data for the provider. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** A template stored at the provider. */
  readonly templateId?: string | null;
  /** Recipient address to that recipient's template variables. */
  readonly mergeData?: Readonly<Record<string, MergeData>> | null;
  /** Template variables for all recipients. */
  readonly mergeGlobalData?: MergeData | null;
  /** Has the provider note who opens it; default: false. */
  readonly trackOpens?: boolean;
  /** Has the provider note who follows its links; default: false. */
  readonly trackClicks?: boolean;
  /** Where bounces go (MAIL FROM); `''` is the null sender `<>`; default: the address of `fromEmail`. */
  readonly envelopeSender?: AddressInput | null;
  /** The Date header; default: the time of sending. */
  readonly date?: Date | null;
  /** The Message-ID, with or without brackets; default: 128 random bits at the sender's domain. */
  readonly messageId?: string | null;
  /** The Message-ID this answers, as the other mail has it; several with blanks between them. */
  readonly inReplyTo?: string | null;
  /** The Message-IDs of the thread, oldest first: a list, or the value of a References header; what cannot be written is left out. */
  readonly references?: string | readonly string[];
  /** How urgent it looks; default: nothing is said of it. */
  readonly priority?: Priority | null;
  /** Makes the text part from `htmlBody` when there is no `body`; needs the package html-to-text. */
  readonly autoText?: boolean;
  /**
   * Sends the images of `htmlBody` with the mail: those of `data:` URIs, and attached images that it names by their file names
   * (`<img src="images/logo.png">`), become inline attachments; no file is opened and nothing is fetched; default: false.
   */
  readonly inlineImages?: boolean;
  /** How readers unsubscribe, by a button of their mail program. */
  readonly listUnsubscribe?: ListUnsubscribe | null;
  /** The notifications of its delivery to ask for. */
  readonly dsn?: DsnRequest | null;
  /** Every hop must use verified TLS, or the mail bounces (RFC 8689). */
  readonly requireTls?: boolean;
}

/** An {@link EmailMessageInit} whose sender may come from the configuration (`defaultFrom`, AMSDAL_EMAIL_FROM). */
export type EmailMessageDraft = Omit<EmailMessageInit, 'fromEmail'> & { readonly fromEmail?: AddressInput };
