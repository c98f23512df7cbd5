import type { Verification } from '../backend/backend.ts';
import type { Mailbox } from '../model/address.ts';
import type { EmailError } from '../model/errors.ts';
import type { Feature, IgnoredReasons } from '../model/features.ts';
import type { EmailMessage } from '../model/message.ts';
import type { DeliveryStatus } from '../model/status.ts';
import type { Body, HttpRequest } from '../net/transport.ts';
import type { Refusal } from './failure.ts';

/** What a message may ask of a provider, beside the features of every backend; what is missing is refused. */
export type HttpFeature = Feature | 'alternatives' | 'inlineAttachments' | 'severalReplyTo';

/** What a provider carries: each is decided. */
export type Carries = Readonly<Record<HttpFeature, boolean>>;

/** A body as it goes out. */
export interface Encoded {
  /** Its media type. */
  readonly type: string;
  /** What is sent. */
  readonly body: Body;
}

/** A message as one provider wants it. */
export interface Built {
  /** Below the base URL, as `/emails`. */
  readonly path: string;
  /** The fields of the request, before they are encoded. */
  readonly body: object;
  /** Beside those of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What this message has and cannot be said, though others of its kind can, and why. */
  readonly ignored?: IgnoredReasons;
  /** The path of the batch that means exactly the same; left out when there is none. */
  readonly batch?: string;
  /** The Message-ID that the mail has, where the provider's answer has no id. */
  readonly messageId?: string;
  /** Further requests before this one, none of which sends anything; they give its path, or why the mail is not sent. */
  readonly prepare?: (ask: Ask) => Promise<Prepared | Failure>;
}

/** A request that sends nothing. */
interface Step {
  readonly method: HttpRequest['method'];
  /** Below the base URL; or a whole URL, which itself says who asks. */
  readonly path: string;
  readonly body: Encoded | null;
  /** Beside those of every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes such a request. */
export type Ask = (step: Step) => Promise<Answer | Failure>;

/** What is ready to be sent. */
export interface Prepared {
  /** Of the request that sends it, below the base URL. */
  readonly path: string;
  /** Takes it away when it was not sent. */
  discard(): Promise<unknown>;
}

/** What a provider says yes with. */
export interface Accepted {
  /** The provider's id of the mail; null when it tells none. */
  readonly messageId: string | null;
  /** Of all recipients; default `queued`. */
  readonly status?: DeliveryStatus;
  /** Of those of whom it says something else. */
  readonly statusOf?: (recipient: Mailbox) => DeliveryStatus | undefined;
  /** Of recipients that have an id of their own. */
  readonly idOf?: (recipient: Mailbox) => string | undefined;
  /** Why one of those is refused, in the provider's word for it. */
  readonly reasonOf?: (recipient: Mailbox) => string | undefined;
  /** The part of the answer that is about this message, where it is about several. */
  readonly part?: unknown;
}

/** An answer as it is read: null when it cannot be, so that nobody knows what became of the mail. */
export type Verdict = Accepted | Refusal | null;

/** An answer, its body read as JSON where it is. */
export interface Answer {
  /** The HTTP status. */
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined when it is no JSON; integers that a number cannot hold are texts. */
  readonly body: unknown;
  /** The body as it came. */
  readonly text: string;
}

/** Why a request came to nothing, or nobody knows. */
export interface Failure {
  /** What the call's result has. */
  readonly error: EmailError;
  /** Left out when there is none. */
  readonly answer?: Answer;
  /** The answer as statuses show it. */
  readonly espResponse?: unknown;
  /** What the provider says in it. */
  readonly refusal?: Refusal;
  /** Whether it is what the same request was answered with again, after a lost answer; left out when not. */
  readonly isRepeated?: boolean;
}

/** Requests that carry several messages. */
export interface Batch {
  /** Messages in one request. */
  readonly max: number;
  /** Octets of one request. */
  readonly maxSize: number;
  /** Whether one message goes in this form, too; default: its body alone is a request. */
  readonly holdsOne?: boolean;
  /** Beside those of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What stands before the list of the messages' bodies, and after it. */
  around(path: string): readonly [before: string, after: string];
  /** What a 2xx says of each message, in their order. */
  parse(answer: Answer, messages: readonly EmailMessage[]): readonly Verdict[];
}

/** What a request is signed for. */
export interface Signing {
  /** Aborts when the request has no more time, or its call has ended. */
  readonly signal: AbortSignal;
  /** What the same request was signed with a moment ago, and the answer that refused it; null when it goes for the first time. */
  readonly refused: { readonly headers: Readonly<Record<string, string>>; readonly answer: Answer } | null;
}

/** What says who sends a request, for one try of it. */
export interface Signed {
  /** Beside those of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** What of them is in no error and no answer that is shown. */
  readonly secrets: readonly string[];
}

/** A request that changes nothing, to see whether the key is accepted. */
interface Check {
  /** The address of the service that answers it; default: that of mails. */
  readonly baseUrl?: string;
  /** Below the base URL. */
  readonly path: string;
  /** Of a POST; left out for a GET. */
  readonly body?: object;
  /** What an answer tells that is worth showing; null when it says no. */
  read(answer: Answer): Verification['details'] | null;
}

/** A provider's API: how a message is written for it, and what its answers mean. */
export interface Provider {
  /** The address of the service. */
  readonly baseUrl: string;
  /** The headers that say who sends, where they are the same each time. */
  readonly authorization?: Readonly<Record<string, string>>;
  /** Fields of `espExtra`, in lower case, that the message's own fields set. */
  readonly fixed: ReadonlySet<string>;
  /** Whether one request with `mergeData` is a mail for each of `to`, or is for this message; otherwise there is one request for each. */
  readonly mergesItself?: boolean | ((message: EmailMessage) => boolean);
  /** When variables are put into the message's own texts, too; left out when into stored templates alone. */
  readonly mergesTexts?: 'always' | 'with-merge-data';
  /** Whether it takes no mail without a recipient in `to`. */
  readonly needsTo?: boolean;
  /** What a stored template contains, so that the message cannot have it too; default: `body` and `htmlBody`. */
  readonly templateMakes?: readonly ('subject' | 'body' | 'htmlBody')[];
  /** The request for several messages, where there is one. */
  readonly batch?: Batch;
  /** A harmless request. */
  readonly check: Check;

  /**
   * Says who sends where that changes: by a signature of the request, or a token that expires. Asked for each try, just before it
   * leaves, and once more when it is refused for who sends it (`auth`).
   *
   * @returns null when it was refused and there is nothing else to sign with
   * @throws {EmailError} which says that nothing was sent; whatever else is thrown becomes one
   */
  sign?(request: HttpRequest, signing: Signing): Promise<Signed | null>;
  /**
   * The request for a message, whose content is in memory.
   *
   * @param key the idempotency key; null where the provider has none
   * @throws {MessageError} for what cannot be said
   */
  build(message: EmailMessage, key: string | null): Built;
  /** The body as it goes out; default: JSON. */
  encode?(body: object): Encoded;
  /** What a 2xx says. */
  parse(answer: Answer, message: EmailMessage): Verdict;
  /** Whether an answer that is no 2xx tells of each message, so that it is read like one; default: none does. */
  tellsOfEach?(answer: Answer): boolean;
  /** What any other answer says. */
  refusal(answer: Answer): Refusal;
}

/** Whether an answer, or its part for one message, says yes. */
export function isAccepted(verdict: Verdict): verdict is Accepted {
  return verdict !== null && 'messageId' in verdict;
}
