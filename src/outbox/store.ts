import type { AccountRates } from '../util/rates.ts';

/**
 * Where a mail of the outbox is: `queued`, it waits, perhaps for its time or for another try; `claimed`, a worker has it and has
 * certainly not begun to send it; `sending`, it may leave at any moment, or has left; `in-doubt`, nobody knows whether it was
 * sent; `sent`, `failed` and `cancelled` are for good.
 */
export type MailState = 'queued' | 'claimed' | 'sending' | 'in-doubt' | 'sent' | 'failed' | 'cancelled';

/** All states, in the order in which a mail goes through them. */
export const STATES: readonly MailState[] = ['queued', 'claimed', 'sending', 'in-doubt', 'sent', 'failed', 'cancelled'];

/** States that nothing follows by itself. */
export const ENDED: readonly MailState[] = ['sent', 'failed', 'cancelled'];

/** What becomes of a mail in doubt: `hold`, somebody decides; `resend`, it is sent again, perhaps for the second time. */
export type OnDoubt = 'hold' | 'resend';

/** Content that several mails may share, by the hash of its bytes. */
export interface Blob {
  /** Sha-256 in hexadecimal digits. */
  readonly hash: string;
  /** As they are kept: sealed, where that is asked for. */
  readonly bytes: Uint8Array;
}

/** A mail to write down. */
export interface NewMail {
  /** Unique; later ones sort behind earlier ones. */
  readonly id: string;
  /** One mail only has it; null for none. */
  readonly key: string | null;
  /** The name of its lane. */
  readonly lane: string;
  /** Of two in a lane the higher goes first. */
  readonly priority: number;
  /** Of several with one key the earliest goes first, the next once nothing more is tried for it. */
  readonly orderKey: string | null;
  /** Its Message-ID; null where it has none before it is sent. */
  readonly messageId: string | null;
  /** In milliseconds since 1970; null for at once. */
  readonly dueAt: number | null;
  /** What becomes of it when its worker dies. */
  readonly onDoubt: OnDoubt;
  /** What is told of it, as JSON; stores keep it as it is, and search in it. */
  readonly facts: string;
  /** What is sent; it names its blobs. */
  readonly content: Uint8Array;
  /** What its content names; each once. */
  readonly blobs: readonly Blob[];
}

/** What became of a mail that was to be written down. */
export interface Enqueued {
  /** Its own, or that of the mail that had its key before. */
  readonly id: string;
  /** Whether another one had its key: nothing was written down. */
  readonly isDuplicate: boolean;
}

/** A mail without its content. */
export interface StoredMail extends Omit<NewMail, 'content' | 'blobs'> {
  /** When it may be claimed, in milliseconds since 1970. */
  readonly dueAt: number;
  /** Where it is. */
  readonly state: MailState;
  /** As in {@link Held}; every change of it counts one further, too, so that what was read can be told from what is. */
  readonly fence: number;
  /** The request that is to be asked again, or is under way, as in {@link Marking}; null for none. */
  readonly request: string | null;
  /** How often it was tried. */
  readonly tries: number;
  /** When it was written down, in milliseconds since 1970. */
  readonly createdAt: number;
  /** When it came into its state. */
  readonly changedAt: number;
}

/** What proves that a worker has a mail: every claim of it counts one further. */
export interface Held {
  /** The mail's. */
  readonly id: string;
  /** The number of the claim. */
  readonly fence: number;
}

/** What may leave now. */
export interface Marking extends Held {
  /** Names the request that sends it, where asking the very same again cannot send the mail twice; null where it could. */
  readonly request: string | null;
  /** For how long that holds, in milliseconds from now; the request that a mail was marked with before keeps its time. */
  readonly repeatMs: number;
}

/** A mail that a worker has; its request is that of a try before of which nobody knows, `repeatMs` what is left of its time. */
export interface ClaimedMail extends Marking {
  /** As in {@link NewMail}. */
  readonly lane: string;
  /** How often it was tried before. */
  readonly tries: number;
  /** As in {@link NewMail}. */
  readonly onDoubt: OnDoubt;
  /** In milliseconds since 1970. */
  readonly createdAt: number;
  /** As they were written last. */
  readonly facts: string;
  /** As in {@link NewMail}. */
  readonly content: Uint8Array;
  /** Whether its lane was paused, and this one shows whether it works again. */
  readonly isProbe: boolean;
}

/** What a worker asks for. */
export interface ClaimRequest {
  /** How many at most of each lane; together no more than there are places for. */
  readonly lanes: readonly { readonly lane: string; readonly limit: number }[];
  /** How many in all: what lanes leave over, the earlier ones in the list get. */
  readonly limit: number;
  /** How long they are the worker's, unless it renews that. */
  readonly leaseMs: number;
}

/** What a worker gets. */
export interface Claim {
  /** Each held under a fence of its own. */
  readonly mails: readonly ClaimedMail[];
  /** In how many milliseconds the next mail is due that waits for its time; null when none does. */
  readonly nextMs: number | null;
}

/** A change of state. */
export interface Settlement {
  /** The mail's. */
  readonly id: string;
  /** Of the claim under which it is made, or of the mail as it was read; null where `from` alone counts. */
  readonly fence: number | null;
  /** It is made in one of these states only. */
  readonly from: readonly MailState[];
  /** The state it comes into. */
  readonly to: MailState;
  /** When it is due again, in milliseconds from now. */
  readonly afterMs: number;
  /** Whether it counts as a try. */
  readonly isTried: boolean;
  /** Null leaves them as they are. */
  readonly facts: string | null;
  /** Whether the request that it was marked with is still to be asked again; else it is forgotten. */
  readonly keepsRequest: boolean;
  /** Whether what it sends is not needed any more. */
  readonly dropsContent: boolean;
}

/** A lane of which nothing is claimed for a while; of 0 milliseconds it is let go. */
export interface Pause {
  /** Its name. */
  readonly lane: string;
  /** How long, from now. */
  readonly ms: number;
  /** For people to read. */
  readonly reason: string;
}

/** Mails that workers left behind. */
export interface Recovered {
  /** Certainly unsent: they are queued again. */
  readonly requeued: readonly StoredMail[];
  /** Perhaps sent: they are in doubt, or queued again where their request may be asked again or their `onDoubt` says so. */
  readonly doubtful: readonly StoredMail[];
  /** How many ended ones were deleted. */
  readonly pruned: number;
}

/** Which mails a list has: all that apply. */
export interface ListQuery {
  /** In this state. */
  readonly state?: MailState | undefined;
  /** Of this lane. */
  readonly lane?: string | undefined;
  /** What is somewhere in its facts, whatever the case of its letters. */
  readonly text?: string | undefined;
  /** Only those with smaller ids: the last one of the page before. */
  readonly before?: string | undefined;
  /** How many at most, newest first. */
  readonly limit: number;
}

/** How many mails there are of a lane and state. */
export interface Count {
  /** Its name. */
  readonly lane: string;
  /** What they are in. */
  readonly state: MailState;
  /** How many. */
  readonly count: number;
  /**
   * How long the oldest of them has been due, or in its state, in milliseconds; less than 0 for what is due later. Null for those
   * that have ended, which are many: nobody waits for them.
   */
  readonly oldestMs: number | null;
}

/** What can be asked of a store, and what it answers. */
export interface Queries {
  /** A mail by its id; null when there is none. */
  readonly mail: { readonly ask: { readonly id: string }; readonly answer: StoredMail | null };
  /** Of one Message-ID those that may have been sent: they are in doubt or being sent, or their request is to be asked again. */
  readonly doubts: { readonly ask: { readonly messageId: string }; readonly answer: readonly StoredMail[] };
  /** Null once it is not kept any more. */
  readonly content: { readonly ask: { readonly id: string }; readonly answer: Uint8Array | null };
  /** Of those that there are, in any order. */
  readonly blobs: { readonly ask: { readonly hashes: readonly string[] }; readonly answer: readonly Blob[] };
  /** Mails, newest first. */
  readonly list: { readonly ask: ListQuery; readonly answer: readonly StoredMail[] };
  /** How many there are. */
  readonly counts: { readonly ask: Readonly<Record<never, never>>; readonly answer: readonly Count[] };
  /** Of all buckets from which something was taken. */
  readonly left: { readonly ask: Readonly<Record<never, never>>; readonly answer: readonly BucketLeft[] };
  /** Those that are paused, with the time left. */
  readonly pauses: { readonly ask: Readonly<Record<never, never>>; readonly answer: readonly Pause[] };
}

/** How many recipients may go through a bucket, over all workers: that of a lane, or of the account that all lanes send over. */
export interface BucketRates extends AccountRates {
  /** Its name; the same bucket may be asked for with other rates later, and keeps what went in its windows. */
  readonly bucket: string;
  /** Whether who asks has waited for long: room is kept for it then, so that what needs less is not always before it. */
  readonly isOverdue?: boolean;
}

/** How many recipients more may go in this minute, hour and day, as far as these are limited. */
export type Left = Readonly<Partial<Record<'minute' | 'hour' | 'day', number>>>;

/** What is left in a bucket. */
export interface BucketLeft {
  /** As in {@link BucketRates}. */
  readonly bucket: string;
  /** By its rates as they were when it was last asked for. */
  readonly left: Left;
}

/**
 * Where the mails of an outbox are kept. Leases and waits are judged by one clock, the store's own; every method is one
 * transaction, and rejects only when nothing of it was done.
 *
 * {@link outboxStoreContract} holds it to what outboxes rely on.
 */
export interface OutboxStore {
  /** What it is, such as `sqlite`. */
  readonly name: string;
  /** How often workers look for what others have written down, in milliseconds; null when they need not. */
  readonly pollMs: number | null;
  /** Who is called when there may be something to claim; a worker adds itself. */
  readonly wakers: Set<() => void>;

  /**
   * Writes mails down, durably once it resolves.
   *
   * @param tx the caller's own transaction, where the store can take part in one: then they exist once that is committed.
   * @throws {ConfigurationError} `invalid-option` for a `tx` that is none of this store's.
   */
  enqueue(mails: readonly NewMail[], options: { readonly tx?: unknown }): Promise<readonly Enqueued[]>;
  /**
   * Gives a worker mails that are due, of lanes that are not paused. Of one whose pause has run out it gives a single one, and
   * pauses it for the time of the lease.
   */
  claim(request: ClaimRequest): Promise<Claim>;
  /** Prolongs what is still held, claimed or being sent; resolves with that. */
  renew(held: readonly Held[], leaseMs: number): Promise<readonly Held[]>;
  /** Writes down, durably once it resolves, that these may leave now; resolves with those that may: still claimed under that fence, with a lease that has not run out. */
  mark(markings: readonly Marking[]): Promise<readonly Held[]>;
  /** Makes the changes that apply, and pauses lanes; resolves with the ids that were changed. */
  settle(settlements: readonly Settlement[], pauses?: readonly Pause[]): Promise<readonly string[]>;
  /** Takes mails from workers whose lease has run out. @param pruneMs deletes what has been ended for longer. */
  recover(pruneMs?: number): Promise<Recovered>;
  /** Reads, and changes nothing. */
  query<Q extends keyof Queries>(what: Q, ask: Queries[Q]['ask']): Promise<Queries[Q]['answer']>;
  /**
   * Takes places from all buckets, or from none: resolves with the milliseconds to wait when one of them has none, else with 0.
   * {@link takePlaces} does the sums.
   */
  take(rates: readonly BucketRates[], count: number): Promise<number>;
  /** Lets go of files and connections; what is called later opens them anew, where it can. */
  close(): Promise<void>;
}
