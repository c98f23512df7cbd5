import { placesLeft, takePlaces } from '../buckets.ts';
import type {
  Blob,
  BucketRates,
  Claim,
  ClaimRequest,
  Enqueued,
  Held,
  ListQuery,
  Marking,
  NewMail,
  OutboxStore,
  Pause,
  Queries,
  Recovered,
  Settlement,
  StoredMail,
} from '../store.ts';
import { textFilter } from '../text-filter.ts';
import { refused } from './bullmq/failure.ts';
import { Listener } from './bullmq/listener.ts';
import {
  bytesOf,
  claimedOf,
  countsOf,
  mailArguments,
  markingArguments,
  pausesOf,
  settlementArguments,
  storedOf,
  type Texts,
  textOf,
} from './bullmq/rows.ts';
import { Session } from './bullmq/session.ts';

/** The options of {@link bullmqStore}. */
export interface BullmqStoreOptions {
  /**
   * What BullMQ's `Queue` takes: options of ioredis such as `{ host, port }`, or a client of ioredis or node-redis, which stays
   * open when the store is closed; or a URL, `redis://user:password@host:6379/0`, of `rediss:` with TLS.
   */
  readonly connection: object | string;
  /** The name of the queue whose jobs show the mails, without `:`; default `amsdal-mail`. Each outbox has one of its own. */
  readonly name?: string;
  /** What the names of keys begin with, as BullMQ's option; default `bull`. In a Redis Cluster one in braces, as `{bull}`. */
  readonly prefix?: string;
  /** Whether mails that are written down are shown as jobs, for dashboards of BullMQ; default true. Without, Redis needs less memory. */
  readonly jobs?: boolean;
}

/** How many mails one step writes down at most, so that Redis is not held for long. */
const CHUNK = 5_000;
/** How many mails of a page are looked at when some of them may not have the text that is asked for. */
const TEXT_PAGE = 1_000;

/**
 * Keeps the mails of an outbox in Redis 6.2 or later, or Valkey, over a connection of BullMQ (package `bullmq`, and its `ioredis`), and
 * shows them as jobs of a queue.
 *
 * The jobs are a view: dashboards read them, and what is done to them there does nothing to the mails. No BullMQ worker may work on
 * that queue. States, leases and rates are the store's own scripts, judged by the clock of Redis.
 *
 * What is written is as durable as Redis is: with `appendfsync always` nothing is lost in a crash; with `everysec` the last second
 * may be, and with it that a mail was sent.
 *
 * @throws {ConfigurationError} `invalid-option` for options that cannot be used; when it is first used, for a `maxmemory-policy` other
 *   than `noeviction` or an outbox of a later version; `missing-dependency`
 */
export function bullmqStore(options: BullmqStoreOptions): OutboxStore {
  const { connection, name = 'amsdal-mail', prefix = 'bull', jobs = true } = options;
  const isUrl = typeof connection === 'string';
  if (isUrl ? !/^rediss?:\/\//.test(connection) : typeof connection !== 'object' || connection === null) {
    throw refused(
      'connection',
      "must be options or a client as BullMQ takes them, or a URL such as 'redis://host:6379/0'",
    );
  }
  if (name === '' || name.includes(':')) throw refused('name', 'must be the name of a queue, without a colon');
  return new BullmqStore(new Session(isUrl ? { url: connection } : connection, name, prefix), jobs);
}

/** The time, the names of buckets, and what is kept of each. */
type Buckets = readonly [now: number, names: readonly string[], kept: readonly string[]];

class BullmqStore implements OutboxStore {
  readonly name = 'bullmq';
  readonly pollMs = 1_000;
  readonly wakers = new Set<() => void>();
  readonly #session: Session;
  readonly #jobs: boolean;
  #listener: Listener | null = null;

  constructor(session: Session, jobs: boolean) {
    this.#session = session;
    this.#jobs = jobs;
  }

  async enqueue(mails: readonly NewMail[], { tx }: { readonly tx?: unknown }): Promise<readonly Enqueued[]> {
    if (tx !== undefined) throw refused('tx', 'the store in Redis takes part in no transaction: leave it out');
    const what = 'write mails down';
    await this.#keepBlobs(mails, what);
    const enqueued: Enqueued[] = [];
    for (let start = 0; start < mails.length; start += CHUNK) {
      const chunk = mails.slice(start, start + CHUNK);
      const values = [this.#jobs ? 1 : 0, ...chunk.flatMap(mailArguments)];
      const ids = (await this.#session.run(what, 'enqueue', values)) as readonly string[]; // what the script answers; so below
      // The id of its own was there before when the connection was lost and the call was sent again.
      enqueued.push(...ids.map((id, place) => ({ id, isDuplicate: id !== chunk[place]?.id })));
    }
    this.#wake();
    return enqueued;
  }

  async claim({ lanes, limit, leaseMs }: ClaimRequest): Promise<Claim> {
    this.#listener ??= new Listener(this.#session, () => this.#wake());
    this.#listener.start();
    const values = [leaseMs, limit, ...lanes.flatMap(({ lane, limit: most }) => [lane, most])];
    const [next, ...texts] = (await this.#session.run('claim mails', 'claim', values)) as Texts;
    return { mails: claimedOf(texts), nextMs: next === '' ? null : Number(next) };
  }

  renew(held: readonly Held[], leaseMs: number): Promise<readonly Held[]> {
    const values = [leaseMs, ...held.flatMap(({ id, fence }) => [id, fence])];
    return this.#held(held, 'renew leases', 'renew', values);
  }

  mark(markings: readonly Marking[]): Promise<readonly Held[]> {
    return this.#held(markings, 'mark mails', 'mark', markings.flatMap(markingArguments));
  }

  async settle(settlements: readonly Settlement[], pauses: readonly Pause[] = []): Promise<readonly string[]> {
    const paused = pauses.flatMap(({ lane, ms, reason }) => [lane, Math.ceil(ms), reason]);
    const values = [pauses.length, ...paused, ...settlements.flatMap(settlementArguments)];
    const [woken, ...changed] = (await this.#session.run('settle mails', 'settle', values)) as readonly string[];
    if (woken === '1') this.#wake();
    return changed;
  }

  async recover(pruneMs?: number): Promise<Recovered> {
    const values = pruneMs === undefined ? [] : [pruneMs];
    const answer = await this.#session.run('recover mails', 'recover', values);
    const [pruned, unsent, doubtful] = answer as readonly [number, Texts, Texts];
    if (unsent.length + doubtful.length > 0) this.#wake();
    return { requeued: storedOf(unsent), doubtful: storedOf(doubtful), pruned };
  }

  async query<Q extends keyof Queries>(what: Q, ask: Queries[Q]['ask']): Promise<Queries[Q]['answer']> {
    const read = (script: 'mail' | 'doubts' | 'counts' | 'pauses', ...values: readonly string[]) =>
      this.#session.run('read mails', script, values) as Promise<Texts>;
    const answers: { readonly [K in keyof Queries]: (ask: Queries[K]['ask']) => Promise<Queries[K]['answer']> } = {
      doubts: async ({ messageId }) => storedOf(await read('doubts', `=${messageId}`)),
      mail: async ({ id }) => storedOf(await read('mail', id))[0] ?? null,
      content: async ({ id }) => {
        const [text] = await this.#texts([`c:${id}`]);
        return text == null ? null : bytesOf(text);
      },
      blobs: async ({ hashes }) => {
        const texts = await this.#texts(hashes.map((hash) => `b:${hash}`));
        return texts.flatMap((text, place): Blob[] => {
          const hash = hashes[place];
          return text === null || hash === undefined ? [] : [{ hash, bytes: bytesOf(text) }];
        });
      },
      list: (query) => this.#list(query),
      counts: async () => countsOf(await read('counts')),
      left: async () => {
        const [now, names = [], kept = []] = (await this.#session.run('read mails', 'buckets')) as Buckets;
        return names.map((bucket, place) => ({ bucket, left: placesLeft(kept[place] ?? '', now) }));
      },
      pauses: async () => pausesOf(await read('pauses')),
    };
    return answers[what](ask);
  }

  async take(rates: readonly BucketRates[], count: number): Promise<number> {
    const what = 'take places of a rate';
    const names = rates.map(({ bucket }) => bucket);
    for (;;) {
      const [now, , before] = (await this.#session.run(what, 'buckets', names)) as Buckets;
      const { waitMs, kept } = takePlaces(before, rates, count, now);
      if (kept === null) return waitMs;
      const changes = names.flatMap((name, place) => [name, before[place] ?? '', kept[place] ?? '']);
      // Else somebody was faster, who has what was taken.
      if ((await this.#session.run(what, 'swap', changes)) === 1) return waitMs;
    }
  }

  async close(): Promise<void> {
    this.wakers.clear();
    this.#listener?.close();
    this.#listener = null;
    await this.#session.close();
  }

  #wake(): void {
    for (const wake of this.wakers) wake();
  }

  /** Before the mails that need them, each by itself: together they may be more than Redis takes in one call. */
  async #keepBlobs(mails: readonly NewMail[], what: string): Promise<void> {
    const blobs = new Map(mails.flatMap((mail) => mail.blobs.map((blob) => [blob.hash, blob])));
    if (blobs.size === 0) return;
    const missing = (await this.#session.run(what, 'use', [...blobs.keys()])) as readonly string[];
    for (const hash of missing) {
      await this.#session.run(what, 'keep', [hash, textOf(blobs.get(hash)?.bytes ?? new Uint8Array())]);
    }
  }

  async #held(
    held: readonly Held[],
    what: string,
    script: 'renew' | 'mark',
    values: readonly (string | number)[],
  ): Promise<readonly Held[]> {
    if (held.length === 0) return [];
    const places = (await this.#session.run(what, script, values)) as readonly number[];
    return places.flatMap((place) => held[place] ?? []);
  }

  async #texts(names: readonly string[]): Promise<readonly (string | null)[]> {
    return (await this.#session.run('read mails', 'texts', names)) as readonly (string | null)[];
  }

  async #list({ state, lane = '', text, before = '', limit }: ListQuery): Promise<readonly StoredMail[]> {
    const isFound = textFilter(text);
    const found: StoredMail[] = [];
    for (let from: string | number = before; found.length < limit; ) {
      const most = text === undefined ? limit - found.length : TEXT_PAGE;
      const [next = '', ...texts] = (await this.#session.run('read mails', 'page', [
        state ?? '',
        lane,
        from,
        most,
      ])) as Texts;
      found.push(...storedOf(texts).filter(isFound));
      if (next === '') break;
      from = next;
    }
    return found.slice(0, limit);
  }
}
