import { type Arrival, type MailSummary, summarize } from './caught-mail.ts';
import type { MailStorage } from './mail-storage.ts';
import type { MailMatcher } from './search.ts';

/** What has changed since the last event. */
export interface StoreChange {
  readonly added: readonly MailSummary[];
  readonly removed: readonly string[];
  readonly changed: readonly MailSummary[];
}

/** One page of a listing. */
export interface MailListing {
  /** Newest first. */
  readonly messages: readonly MailSummary[];
  /** How many mails match in all. */
  readonly total: number;
  /** How many of those are unread. */
  readonly unread: number;
}

/** Which mails to list. */
export interface ListOptions {
  readonly matcher: MailMatcher;
  readonly limit: number;
  /** Only mails older than this one. */
  readonly before?: string | undefined;
}

interface Entry {
  summary: MailSummary;
  readonly indexed: string;
  /** Approximate size in bytes: a mail of one line may come with megabytes of merge data. */
  readonly weight: number;
}

/** The limits of what is kept. */
interface StoreLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** Bytes of one mail; checked by whoever accepts it. */
  readonly maxSize: number;
}

/** The caught mails: summaries in memory, bytes in a storage; the oldest are removed when a limit is exceeded. */
export class MailStore {
  readonly #storage: MailStorage;
  readonly #limits: StoreLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(change: StoreChange) => void>();
  readonly #now: () => Date;
  #bytes = 0;
  #counter = 0;

  constructor(storage: MailStorage, limits: StoreLimits, now: () => Date = () => new Date()) {
    this.#storage = storage;
    this.#limits = limits;
    this.#now = now;
    for (const { facts, bytes } of storage.load()) {
      const { summary, indexed } = summarize(facts.id, new Date(facts.receivedAt), { ...facts, bytes });
      this.#keep({ ...summary, isRead: facts.isRead }, indexed);
    }
    this.#makeRoom();
  }

  /** Bytes one mail may have. */
  get maxSize(): number {
    return this.#limits.maxSize;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(arrival: Arrival): MailSummary {
    const receivedAt = this.#now();
    const id = this.#newId(receivedAt);
    const { summary, indexed } = summarize(id, receivedAt, arrival);
    this.#storage.save(factsOf(summary), arrival.bytes);
    this.#keep(summary, indexed);
    this.#notify({ added: [summary], removed: this.#makeRoom(), changed: [] });
    return summary;
  }

  get(id: string): MailSummary | null {
    return this.#entries.get(id)?.summary ?? null;
  }

  /** A mail's bytes; null when there is no such mail. */
  read(id: string): Uint8Array | null {
    return this.#entries.has(id) ? this.#storage.read(id) : null;
  }

  list({ matcher, limit, before }: ListOptions): MailListing {
    const messages: MailSummary[] = [];
    let total = 0;
    let unread = 0;
    let isOlder = before === undefined;
    for (const { summary, indexed } of [...this.#entries.values()].reverse()) {
      if (matcher(summary, indexed)) {
        total++;
        if (!summary.isRead) unread++;
        if (isOlder && messages.length < limit) messages.push(summary);
      }
      if (summary.id === before) isOlder = true;
    }
    return { messages, total, unread };
  }

  /** The newest mail that matches, or null. */
  find(matcher: MailMatcher): MailSummary | null {
    return this.list({ matcher, limit: 1 }).messages[0] ?? null;
  }

  /** Whether a mail matches. */
  matches(id: string, matcher: MailMatcher): boolean {
    const entry = this.#entries.get(id);
    return entry !== undefined && matcher(entry.summary, entry.indexed);
  }

  setRead(id: string, isRead: boolean): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    if (entry.summary.isRead !== isRead) {
      const summary = { ...entry.summary, isRead };
      this.#storage.saveFacts(factsOf(summary));
      entry.summary = summary;
      this.#notify({ added: [], removed: [], changed: [entry.summary] });
    }
    return true;
  }

  /** Removes every mail that matches; returns how many. */
  remove(matcher: MailMatcher): number {
    const removed: string[] = [];
    for (const [id, { summary, indexed, weight }] of this.#entries) {
      if (!matcher(summary, indexed)) continue;
      this.#drop(id, weight);
      removed.push(id);
    }
    if (removed.length > 0) this.#notify({ added: [], removed, changed: [] });
    return removed.length;
  }

  /** Calls `listener` at each change; returns the function that unsubscribes it. */
  subscribe(listener: (change: StoreChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #makeRoom(): string[] {
    const { maxMessages, maxBytes } = this.#limits;
    const removed: string[] = [];
    for (const [id, { weight }] of this.#entries) {
      if (this.#entries.size <= maxMessages && (this.#bytes <= maxBytes || this.#entries.size === 1)) break;
      this.#drop(id, weight);
      removed.push(id);
    }
    return removed;
  }

  #keep(summary: MailSummary, indexed: string): void {
    const weight = summary.size + indexed.length + JSON.stringify(summary).length;
    this.#entries.set(summary.id, { summary, indexed, weight });
    this.#bytes += weight;
  }

  #drop(id: string, weight: number): void {
    this.#entries.delete(id);
    this.#storage.remove(id);
    this.#bytes -= weight;
  }

  #notify(change: StoreChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Ids sort by time, also as file names: `20261122-094500-123-0001`. */
  #newId(at: Date): string {
    this.#counter = (this.#counter + 1) % 1_679_616;
    const [date = '', time = ''] = at.toISOString().split('T');
    const clock = time.replaceAll(':', '').replace('.', '-').replace('Z', '');
    return `${date.replaceAll('-', '')}-${clock}-${this.#counter.toString(36).padStart(4, '0')}`;
  }
}

function factsOf({ id, receivedAt, isRead, via, envelope, tags, metadata, facts }: MailSummary) {
  return { id, receivedAt, isRead, via, envelope, tags, metadata, facts };
}
