import type { AddressInput } from './address.ts';
import type { AttachmentInit } from './attachment.ts';

/** An alternative form of the body, such as a calendar invitation or an AMP part. */
export interface Alternative {
  /** The text, sent as UTF-8. */
  readonly content: string;
  /** A media type such as `text/calendar; method=REQUEST` or `text/x-amp-html`. */
  readonly mimetype: string;
}

/** How a reader unsubscribes (RFC 2369, section 3.2); `oneClick` needs an https `url` (RFC 8058). */
export interface ListUnsubscribe {
  /** An https or http URL. */
  readonly url?: string;
  /** An address, or a whole `mailto:` URI. */
  readonly mailto?: string;
  /** Whether a POST to `url` unsubscribes without further questions; default: false. */
  readonly oneClick?: boolean;
}

/** Delivery status notifications to ask for (RFC 3461). */
export interface DsnRequest {
  /** When to notify. */
  readonly notify?: 'never' | readonly ('success' | 'failure' | 'delay')[];
  /** How much of the message a failure notice returns. */
  readonly ret?: 'full' | 'headers';
  /** An id that the notice returns; at most 100 printable ASCII characters. */
  readonly envid?: string;
  /** The original recipient, `rfc822;user@example.com`. */
  readonly orcpt?: string;
}

/** How urgent a message looks in readers that show it. */
export type Priority = 'high' | 'normal' | 'low';

/** Template variables: anything that JSON can hold. */
export type MergeData = Readonly<Record<string, unknown>>;

/** What is said to one provider in its own words, by the name of the backend: `{ resend: { ... } }`. */
export type EspExtra = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** One address or several; a string is always ONE mailbox, commas do not separate. */
export type AddressList = AddressInput | readonly AddressInput[];

/** What {@link EmailMessage} is made from. */
export interface EmailMessageInit {
  /** One line; may be empty. */
  readonly subject: string;
  /** Plain text; may be omitted when there is a template, an HTML body, an attachment or an alternative. */
  readonly body?: string;
  /** The visible sender; one mailbox. */
  readonly fromEmail: AddressInput;
  /** `to`, `cc` and `bcc` together need at least one recipient. */
  readonly to?: AddressList;
  /** Recipients of a copy, shown in the header. */
  readonly cc?: AddressList;
  /** Recipients of a copy, shown in no header. */
  readonly bcc?: AddressList;
  /** Where replies go; default: to the sender. */
  readonly replyTo?: AddressList;
  /** The text as HTML. */
  readonly htmlBody?: string | null;
  /** Files, and images that the HTML body shows. */
  readonly attachments?: readonly AttachmentInit[];
  /** Alternative forms of the body. */
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
  /** Has the provider track opens; default: false. */
  readonly trackOpens?: boolean;
  /** Has the provider track clicks; default: false. */
  readonly trackClicks?: boolean;
  /** Where bounces go (MAIL FROM); `''` is the null sender `<>`; default: the address of `fromEmail`. */
  readonly envelopeSender?: AddressInput | null;
  /** The Date header; default: the time of sending. */
  readonly date?: Date | null;
  /** The Message-ID, with or without brackets; default: 128 random bits at the sender's domain. */
  readonly messageId?: string | null;
  /** The Message-ID of the mail this replies to; several are separated by spaces. */
  readonly inReplyTo?: string | null;
  /** The Message-IDs of the thread, oldest first: a list, or the value of a References header; what cannot be written is left out. */
  readonly references?: string | readonly string[];
  /** How urgent it looks; default: no priority header. */
  readonly priority?: Priority | null;
  /** Makes the text part from `htmlBody` when there is no `body`; needs the package html-to-text. */
  readonly autoText?: boolean;
  /**
   * Sends the images of `htmlBody` with the mail: those of `data:` URIs, and attached images that it names by their file names
   * (`<img src="images/logo.png">`), become inline attachments; no file is opened and nothing is fetched; default: false.
   */
  readonly inlineImages?: boolean;
  /** How recipients unsubscribe, by a button of their mail client. */
  readonly listUnsubscribe?: ListUnsubscribe | null;
  /** The delivery status notifications to ask for. */
  readonly dsn?: DsnRequest | null;
  /** Every hop must use verified TLS, or the mail bounces (RFC 8689). */
  readonly requireTls?: boolean;
  /** When the provider is to send it; a time that has passed means now. */
  readonly sendAt?: Date | null;
  /**
   * What makes this mail one mail however often it is sent: 1 to 256 visible ASCII characters. Providers with such keys send it
   * once; it makes the Message-ID wherever none is given. SMTP servers do not look at it.
   */
  readonly idempotencyKey?: string | null;
  /** Fields of the provider's own request that have no field here, laid over it last; each backend reads what is under its name. */
  readonly espExtra?: EspExtra | null;
}

/** An {@link EmailMessageInit} whose sender may come from the configuration (`defaultFrom`, AMSDAL_EMAIL_FROM). */
export type EmailMessageDraft = Omit<EmailMessageInit, 'fromEmail'> & { readonly fromEmail?: AddressInput };
