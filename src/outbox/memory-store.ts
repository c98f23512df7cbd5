import { ConfigurationError } from '../model/errors.ts';
import { placesLeft, takePlaces } from './buckets.ts';
import {
  type Blob,
  type BucketRates,
  type Claim,
  type ClaimedMail,
  type ClaimRequest,
  type Count,
  ENDED,
  type Enqueued,
  type Held,
  type ListQuery,
  type MailState,
  type Marking,
  type NewMail,
  type OutboxStore,
  type Pause,
  type Queries,
  type Recovered,
  type Settlement,
  type StoredMail,
} from './store.ts';
import { textFilter } from './text-filter.ts';

/** The options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** Milliseconds since 1970; default: the clock of this process. */
  readonly now?: () => number;
}

interface Row {
  readonly mail: NewMail;
  state: MailState;
  facts: string;
  content: Uint8Array | null;
  dueAt: number;
  tries: number;
  fence: number;
  leaseUntil: number;
  request: string | null;
  repeatUntil: number;
  readonly createdAt: number;
  changedAt: number;
}

interface PausedLane {
  readonly until: number;
  readonly reason: string;
}

/** A store that forgets all with the process; for tests. */
export function memoryStore(options: MemoryStoreOptions = {}): OutboxStore {
  return new MemoryStore(options.now ?? (() => Date.now())); // asked for anew: a test may fake it
}

class MemoryStore implements OutboxStore {
  readonly name = 'memory';
  readonly pollMs = null;
  readonly wakers = new Set<() => void>();
  readonly #now: () => number;
  /** In the order of their arrival. */
  readonly #rows = new Map<string, Row>();
  readonly #keys = new Map<string, string>();
  readonly #blobs = new Map<string, Blob>();
  readonly #pauses = new Map<string, PausedLane>();
  readonly #buckets = new Map<string, string>();

  constructor(now: () => number) {
    this.#now = now;
  }

  async enqueue(mails: readonly NewMail[], { tx }: { readonly tx?: unknown }): Promise<readonly Enqueued[]> {
    if (tx !== undefined) {
      throw new ConfigurationError('invalid-option', 'the memory store takes part in no transaction: leave tx out', {
        option: 'tx',
      });
    }
    const now = this.#now();
    const enqueued = mails.map((mail): Enqueued => {
      const other = mail.key === null ? undefined : this.#keys.get(mail.key);
      if (other !== undefined) return { id: other, isDuplicate: true };
      if (mail.key !== null) this.#keys.set(mail.key, mail.id);
      for (const blob of mail.blobs) this.#blobs.set(blob.hash, blob);
      const { facts, content, dueAt } = mail;
      const times = { dueAt: dueAt ?? now, leaseUntil: 0, repeatUntil: 0, createdAt: now, changedAt: now };
      this.#rows.set(mail.id, { mail, state: 'queued', facts, content, tries: 0, fence: 0, request: null, ...times });
      return { id: mail.id, isDuplicate: false };
    });
    this.#wake();
    return enqueued;
  }

  async claim({ lanes, limit, leaseMs }: ClaimRequest): Promise<Claim> {
    const now = this.#now();
    const claimed: ClaimedMail[] = [];
    const take = (lane: string, most: number): number => {
      const pause = this.#pauses.get(lane);
      if (pause !== undefined && pause.until > now) return 0;
      const due = this.#claimable(lane, now).slice(0, pause === undefined ? most : Math.min(1, most));
      if (pause !== undefined && due.length > 0) this.#pauses.set(lane, { ...pause, until: now + leaseMs });
      for (const row of due) {
        row.state = 'claimed';
        row.fence++;
        row.leaseUntil = now + leaseMs;
        row.changedAt = now;
        claimed.push(claimedOf(row, now, pause !== undefined));
      }
      return due.length;
    };
    for (const { lane, limit: most } of lanes) take(lane, Math.min(most, limit - claimed.length));
    for (const { lane } of lanes) if (claimed.length < limit) take(lane, limit - claimed.length);
    return { mails: claimed, nextMs: this.#nextMs(now) };
  }

  async renew(held: readonly Held[], leaseMs: number): Promise<readonly Held[]> {
    return held.filter((each) => {
      const row = this.#heldRow(each);
      if (row === null || !(row.state === 'claimed' || row.state === 'sending')) return false;
      row.leaseUntil = this.#now() + leaseMs;
      return true;
    });
  }

  async mark(markings: readonly Marking[]): Promise<readonly Held[]> {
    const now = this.#now();
    return markings.filter((each) => {
      const row = this.#heldRow(each);
      if (row === null || row.state !== 'claimed' || row.leaseUntil <= now) return false;
      row.state = 'sending';
      if (row.request !== each.request) row.repeatUntil = now + each.repeatMs;
      row.request = each.request;
      row.changedAt = now;
      return true;
    });
  }

  async settle(settlements: readonly Settlement[], pauses: readonly Pause[] = []): Promise<readonly string[]> {
    const now = this.#now();
    const changed = settlements.filter((settlement) => this.#change(settlement, now)).map(({ id }) => id);
    for (const { lane, ms, reason } of pauses) {
      if (ms === 0) this.#pauses.delete(lane);
      else this.#pauses.set(lane, { until: now + ms, reason });
    }
    this.#wake();
    return changed;
  }

  async recover(pruneMs?: number): Promise<Recovered> {
    const now = this.#now();
    const left = [...this.#rows.values()].filter(({ leaseUntil }) => leaseUntil > 0 && leaseUntil <= now);
    const requeued = left.filter(({ state }) => state === 'claimed');
    const doubtful = left.filter(({ state }) => state === 'sending');
    for (const row of requeued) this.#move(row, 'queued', now);
    for (const row of doubtful) {
      row.tries++;
      const isResent = row.mail.onDoubt === 'resend' || (row.request !== null && row.repeatUntil > now);
      if (isResent) row.fence++;
      this.#move(row, isResent ? 'queued' : 'in-doubt', now);
    }
    const pruned = pruneMs === undefined ? 0 : this.#prune(now - pruneMs);
    if (left.length > 0) this.#wake();
    return { requeued: requeued.map(storedOf), doubtful: doubtful.map(storedOf), pruned };
  }

  async query<Q extends keyof Queries>(what: Q, ask: Queries[Q]['ask']): Promise<Queries[Q]['answer']> {
    const answers: { readonly [K in keyof Queries]: (ask: Queries[K]['ask']) => Queries[K]['answer'] } = {
      mail: ({ id }) => storedOrNull(this.#rows.get(id)),
      doubts: ({ messageId }) =>
        [...this.#rows.values()].filter((row) => row.mail.messageId === messageId && isInDoubt(row)).map(storedOf),
      content: ({ id }) => this.#rows.get(id)?.content ?? null,
      blobs: ({ hashes }) => hashes.flatMap((hash) => this.#blobs.get(hash) ?? []),
      list: (query) => this.#list(query),
      counts: () => this.#counts(),
      left: () => [...this.#buckets].map(([bucket, kept]) => ({ bucket, left: placesLeft(kept, this.#now()) })),
      pauses: () => this.#pausesNow(),
    };
    return answers[what](ask);
  }

  async take(rates: readonly BucketRates[], count: number): Promise<number> {
    const before = rates.map(({ bucket }) => this.#buckets.get(bucket) ?? '');
    const { waitMs, kept } = takePlaces(before, rates, count, this.#now());
    for (const [place, text] of kept?.entries() ?? []) this.#buckets.set(rates[place]?.bucket ?? '', text);
    return waitMs;
  }

  async close(): Promise<void> {
    this.wakers.clear();
  }

  #wake(): void {
    for (const wake of this.wakers) wake();
  }

  #heldRow({ id, fence }: Held): Row | null {
    const row = this.#rows.get(id);
    return row !== undefined && row.fence === fence ? row : null;
  }

  #claimable(lane: string, now: number): readonly Row[] {
    const orders = new Set<string>();
    const due: Row[] = [];
    for (const row of this.#rows.values()) {
      const { orderKey } = row.mail;
      if (orderKey !== null && isOpen(row.state)) {
        if (orders.has(orderKey)) continue;
        orders.add(orderKey);
      }
      if (row.mail.lane === lane && row.state === 'queued' && row.dueAt <= now) due.push(row);
    }
    return due.toSorted((a, b) => b.mail.priority - a.mail.priority);
  }

  #nextMs(now: number): number | null {
    const waits = [...this.#rows.values()].filter(({ state, dueAt }) => state === 'queued' && dueAt > now);
    const until = [...this.#pauses.values()].map((pause) => pause.until).filter((time) => time > now);
    const next = Math.min(...waits.map(({ dueAt }) => dueAt), ...until);
    return Number.isFinite(next) ? next - now : null;
  }

  #change({ id, fence, from, to, ...change }: Settlement, now: number): boolean {
    const row = fence === null ? (this.#rows.get(id) ?? null) : this.#heldRow({ id, fence });
    if (row === null || !from.includes(row.state)) return false;
    row.fence++;
    if (change.isTried) row.tries++;
    if (change.facts !== null) row.facts = change.facts;
    if (change.dropsContent) row.content = null;
    if (!change.keepsRequest) row.request = null;
    row.dueAt = now + change.afterMs;
    this.#move(row, to, now);
    return true;
  }

  #move(row: Row, to: MailState, now: number): void {
    row.state = to;
    row.leaseUntil = 0;
    row.changedAt = now;
  }

  #prune(before: number): number {
    const old = [...this.#rows.values()].filter(({ state, changedAt }) => ENDED.includes(state) && changedAt <= before);
    for (const { mail } of old) {
      this.#rows.delete(mail.id);
      if (mail.key !== null) this.#keys.delete(mail.key);
    }
    const needed = new Set<string>();
    for (const { mail, content } of this.#rows.values()) {
      if (content !== null) for (const { hash } of mail.blobs) needed.add(hash);
    }
    for (const hash of this.#blobs.keys()) if (!needed.has(hash)) this.#blobs.delete(hash);
    return old.length;
  }

  #list({ state, lane, text, before, limit }: ListQuery): readonly StoredMail[] {
    return [...this.#rows.values()]
      .filter((row) => state === undefined || row.state === state)
      .filter(({ mail }) => lane === undefined || mail.lane === lane)
      .filter(textFilter(text))
      .filter(({ mail }) => before === undefined || mail.id < before)
      .map(storedOf)
      .toSorted((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit);
  }

  #counts(): readonly Count[] {
    const now = this.#now();
    const counts = new Map<string, Count>();
    for (const { mail, state, dueAt, changedAt } of this.#rows.values()) {
      const { lane } = mail;
      const key = `${state} ${lane}`;
      const age = now - (state === 'queued' ? dueAt : changedAt);
      const { count, oldestMs } = counts.get(key) ?? { count: 0, oldestMs: age };
      const oldest = ENDED.includes(state) ? null : Math.max(oldestMs ?? age, age);
      counts.set(key, { lane, state, count: count + 1, oldestMs: oldest });
    }
    return [...counts.values()];
  }

  #pausesNow(): readonly Pause[] {
    const now = this.#now();
    return [...this.#pauses].map(([lane, { until, reason }]) => ({ lane, ms: Math.max(0, until - now), reason }));
  }
}

/** Whether more is tried for a mail: one in doubt is with people, and holds nobody up. */
function isOpen(state: MailState): boolean {
  return state === 'queued' || state === 'claimed' || state === 'sending';
}

function isInDoubt({ state, request }: Row): boolean {
  return state === 'sending' || state === 'in-doubt' || request !== null;
}

function claimedOf(row: Row, now: number, isProbe: boolean): ClaimedMail {
  const { mail, facts, content, tries, fence, request, createdAt } = row;
  const { id, lane, onDoubt } = mail;
  return {
    id,
    lane,
    onDoubt,
    facts,
    tries,
    fence,
    request,
    repeatMs: row.repeatUntil - now,
    createdAt,
    isProbe,
    content: content ?? new Uint8Array(),
  };
}

function storedOf(row: Row): StoredMail {
  const { mail, state, facts, dueAt, tries, fence, request, createdAt, changedAt } = row;
  const { id, key, lane, priority, orderKey, messageId, onDoubt } = mail;
  const own = { id, key, lane, priority, orderKey, messageId, onDoubt };
  return { ...own, state, facts, dueAt, tries, fence, request, createdAt, changedAt };
}

function storedOrNull(row: Row | undefined): StoredMail | null {
  return row === undefined ? null : storedOf(row);
}
