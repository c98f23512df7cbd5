import { ConfigurationError } from '../../model/errors.ts';
import { placesLeft, takePlaces } from '../buckets.ts';
import type {
  BucketRates,
  Claim,
  ClaimRequest,
  Count,
  Enqueued,
  Held,
  Marking,
  NewMail,
  OutboxStore,
  Pause,
  Queries,
  Recovered,
  Settlement,
  StoredMail,
} from '../store.ts';
import { checkPool, givesClients, type PostgresPool, type PostgresQuery, queryOf } from './postgres/database.ts';
import { enqueueMails } from './postgres/enqueue.ts';
import { failure, isMissing } from './postgres/failure.ts';
import { Listener } from './postgres/listener.ts';
import { type Names, namesOf, type PostgresPlace } from './postgres/names.ts';
import {
  bytesOf,
  type ClaimedRow,
  checkTexts,
  chunksOf,
  claimedOf,
  roundsOf,
  settlementRow,
  wellFormed,
} from './postgres/rows.ts';
import { migration } from './postgres/schema.ts';
import { ask, Session } from './postgres/session.ts';
import { changing } from './postgres/sql/change.ts';
import { claiming } from './postgres/sql/claim.ts';
import { listing, reading } from './postgres/sql/read.ts';
import { recovering } from './postgres/sql/recover.ts';
import { taking } from './postgres/sql/take.ts';
import { refuseNewer, versionOf } from './postgres/version.ts';

export type {
  PostgresClient,
  PostgresNotification,
  PostgresPool,
  PostgresPoolClient,
  PostgresQuery,
  PostgresResult,
} from './postgres/database.ts';
export type { PostgresPlace } from './postgres/names.ts';
export { outboxSchema } from './postgres/schema.ts';

/** The options of {@link postgresStore}. */
export interface PostgresStoreOptions extends PostgresPlace {
  /**
   * Whether a client of the pool waits for notifications, from the first claim on, so that workers need not wait for the next
   * look; default true. False behind PgBouncer in transaction mode, which passes none on. A pool of one client keeps it for itself.
   */
  readonly listen?: boolean;
}

/** An outbox's mails in Postgres. */
export interface PostgresStore extends OutboxStore {
  /**
   * Makes the tables, or changes them to what this version of the package needs; in one transaction, and not twice at once.
   *
   * @throws {ConfigurationError} `invalid-option` when they are of a newer version.
   * @throws {EmailConnectionError} when it could not be done; nothing was changed.
   */
  migrate(): Promise<void>;
}

/** How many mails, and bytes of them, one statement writes down. */
const CHUNK = { mails: 1_000, bytes: 16_777_216 };

/**
 * Keeps the mails of an outbox in Postgres 13 or later, in tables of `outboxSchema()`, over the application's own pool.
 *
 * `enqueue` with `tx`, a client inside a transaction or a function that runs a statement in it, writes a mail down with what else
 * the transaction writes. An error of such a statement is thrown as the driver throws it; it ends the transaction.
 *
 * Close it before the pool is ended, which would wait for the client that listens.
 *
 * @param pool a `Pool` of the `pg` package, or anything with `query(text, values)` that resolves with `{ rows }`.
 * @throws {ConfigurationError} `invalid-option` for a pool, schema or prefix that cannot be used. The tables are looked at when it
 *   is first used, and every method throws that when they are missing or of another version.
 */
export function postgresStore(pool: PostgresPool, options: PostgresStoreOptions = {}): PostgresStore {
  checkPool(pool);
  return new Store(pool, options);
}

class Store implements PostgresStore {
  readonly name = 'postgres';
  readonly pollMs = 1_000;
  readonly wakers = new Set<() => void>();
  readonly #session: Session;
  readonly #names: Names;
  readonly #sql: ReturnType<typeof statementsOf>;
  readonly #listener: Listener | undefined;

  constructor(pool: PostgresPool, { listen = true, ...place }: PostgresStoreOptions) {
    this.#names = namesOf(place);
    this.#session = new Session(pool, this.#names);
    this.#sql = statementsOf(this.#names);
    if (listen && givesClients(pool) && pool.options?.max !== 1) {
      this.#listener = new Listener(pool, this.#names, () => this.#wake());
    }
  }

  async migrate(): Promise<void> {
    const { query } = this.#session;
    try {
      refuseNewer(await versionOf(query, this.#names));
      await query(migration(this.#names), []);
    } catch (error) {
      throw failure('make its tables', error);
    }
  }

  async enqueue(mails: readonly NewMail[], { tx }: { readonly tx?: unknown }): Promise<readonly Enqueued[]> {
    checkTexts(mails);
    if (tx !== undefined) return this.#enqueueIn(queryOf(tx), mails);
    const what = 'write mails down';
    const chunks = [...chunksOf(mails, CHUNK.mails, CHUNK.bytes)];
    const enqueued =
      chunks.length <= 1 || !givesClients(this.#session.pool)
        ? await this.#session.run(what, (query) => enqueueMails(query, this.#names, mails))
        : await this.#session.runTogether(what, (query) =>
            inTurn(chunks, (each) => enqueueMails(query, this.#names, each)),
          );
    this.#wake();
    return enqueued;
  }

  async claim({ lanes, limit, leaseMs }: ClaimRequest): Promise<Claim> {
    this.#listener?.start();
    const shares = lanes.map((each) => ({ lane: wellFormed(each.lane), most: Math.trunc(each.limit) }));
    const claimOnce = async (most: number) => {
      const request = { lanes: shares, lease_ms: leaseMs };
      return (await this.#session.ask('claim mails', claiming(this.#names, most), request)) as ClaimAnswer; // what it answers
    };
    const first = await claimOnce(Math.max(0, Math.trunc(limit)));
    const mails = first.mails.map(claimedOf);
    if (first.promoted === 0 || mails.length >= limit) return { mails, nextMs: first.nextMs };
    // What has just become due can be claimed now; when that fails, what is claimed already must not be lost sight of.
    const second = await claimOnce(limit - mails.length).catch(() => null);
    if (second === null) return { mails, nextMs: 0 };
    return { mails: [...mails, ...second.mails.map(claimedOf)], nextMs: second.promoted > 0 ? 0 : second.nextMs };
  }

  renew(held: readonly Held[], leaseMs: number): Promise<readonly Held[]> {
    return this.#change(held, 'renew leases', this.#sql.renew, { held: held.map(heldRow), lease_ms: leaseMs });
  }

  mark(markings: readonly Marking[]): Promise<readonly Held[]> {
    const rows = markings.map(({ request, repeatMs, ...held }) => ({
      ...heldRow(held),
      request,
      repeat_ms: repeatMs,
    }));
    return this.#change(markings, 'mark mails', this.#sql.mark, rows);
  }

  async settle(settlements: readonly Settlement[], pauses: readonly Pause[] = []): Promise<readonly string[]> {
    // The last word on a lane counts.
    const lanes = [...new Map(pauses.map((pause) => [wellFormed(pause.lane), pause]))];
    const pauseRows = lanes.map(([lane, { ms, reason }]) => ({ lane, pause_ms: ms, reason: wellFormed(reason) }));
    const settleRound = async (query: PostgresQuery, round: readonly Settlement[]) => {
      const rows = { settlements: round.map(settlementRow), pauses: pauseRows };
      const answer = (await ask(query, this.#sql.settle, rows)) as SettleAnswer; // what it answers
      if (answer.isWaking) this.#wake();
      const changed = new Set(answer.changed);
      return round.map(({ id }) => id).filter((id) => changed.has(id));
    };
    const what = 'settle mails';
    const [first = [], ...more] = roundsOf(settlements);
    if (more.length === 0) return this.#session.run(what, (query) => settleRound(query, first));
    return this.#session.runTogether(what, (query) => inTurn([first, ...more], (each) => settleRound(query, each)));
  }

  async recover(pruneMs?: number): Promise<Recovered> {
    const what = 'recover mails';
    const takeBack = async (query: PostgresQuery): Promise<Omit<Recovered, 'pruned'>> => {
      const { isWaking, ...recovered } = (await ask(query, this.#sql.recover)) as RecoverAnswer; // what it answers
      if (isWaking) this.#wake();
      return recovered;
    };
    if (pruneMs === undefined) return { ...(await this.#session.run(what, takeBack)), pruned: 0 };
    return this.#session.runTogether(what, async (query) => {
      const pruned = Number(await ask(query, this.#sql.prune, pruneMs));
      await ask(query, this.#sql.pruneBlobs);
      return { ...(await takeBack(query)), pruned };
    });
  }

  async query<Q extends keyof Queries>(what: Q, given: Queries[Q]['ask']): Promise<Queries[Q]['answer']> {
    const read = (sql: string, value?: unknown) => this.#session.ask('read mails', sql, value);
    // Each is what its statement answers.
    const answers: { readonly [K in keyof Queries]: (ask: Queries[K]['ask']) => Promise<Queries[K]['answer']> } = {
      mail: async ({ id }) => ((await read(this.#sql.mail, wellFormed(id))) ?? null) as StoredMail | null,
      doubts: async ({ messageId }) => (await read(this.#sql.doubts, wellFormed(messageId))) as readonly StoredMail[],
      content: async ({ id }) => {
        const content = (await read(this.#sql.content, wellFormed(id))) as string | undefined;
        return content === undefined ? null : bytesOf(content);
      },
      blobs: async ({ hashes }) => {
        const rows = (await read(this.#sql.blobs, hashes.map(wellFormed))) as readonly BlobRow[];
        return rows.map(({ hash, bytes }) => ({ hash, bytes: bytesOf(bytes) }));
      },
      list: async (query) => {
        const texts = Object.entries(query).map(([name, each]) => [
          name,
          typeof each === 'string' ? wellFormed(each) : each,
        ]);
        return (await read(listing(this.#names, query), Object.fromEntries(texts))) as readonly StoredMail[];
      },
      counts: async () => (await read(this.#sql.counts)) as readonly Count[],
      left: async () => {
        const { now, kept } = (await read(this.#sql.allBuckets)) as BucketsAnswer;
        return Object.entries(kept).map(([bucket, text]) => ({ bucket, left: placesLeft(text, now) }));
      },
      pauses: async () => (await read(this.#sql.pauses)) as readonly Pause[],
    };
    return answers[what](given);
  }

  async take(rates: readonly BucketRates[], count: number): Promise<number> {
    const names = rates.map(({ bucket }) => wellFormed(bucket));
    const ask = (sql: string, value: unknown) => this.#session.ask('take places of a rate', sql, value);
    for (;;) {
      const { now, kept: found } = (await ask(this.#sql.buckets, names)) as BucketsAnswer; // what it answers
      const before = names.map((name) => (Object.hasOwn(found, name) ? found[name] : undefined));
      if (before.includes(undefined)) {
        await ask(this.#sql.newBuckets, names);
        continue;
      }
      const texts = before.map((text) => text ?? '');
      const { waitMs, kept } = takePlaces(texts, rates, count, now);
      if (kept === null) return waitMs;
      const changes = names.map((name, place) => ({ name, before: texts[place], after: kept[place] }));
      // Else somebody was faster, who has what was taken.
      if (await ask(this.#sql.swap, changes)) return waitMs;
    }
  }

  async close(): Promise<void> {
    this.wakers.clear();
    this.#listener?.close();
  }

  async #enqueueIn(query: PostgresQuery, mails: readonly NewMail[]): Promise<readonly Enqueued[]> {
    await this.#session.check(query);
    try {
      const chunks = [...chunksOf(mails, CHUNK.mails, CHUNK.bytes)];
      return await inTurn(chunks, (each) => enqueueMails(query, this.#names, each));
    } catch (error) {
      if (!isMissing(error)) throw error; // whoever began the transaction may repeat it, by the codes of its driver
      const message = 'tx: must be a transaction in the database that has the tables of the outbox';
      throw new ConfigurationError('invalid-option', message, { option: 'tx', cause: error });
    }
  }

  async #change(held: readonly Held[], what: string, sql: string, value: unknown): Promise<readonly Held[]> {
    const changed = (await this.#session.ask(what, sql, value)) as readonly Held[]; // what each of them answers
    const fences = new Map(changed.map(({ id, fence }) => [id, fence]));
    return held.filter(({ id, fence }) => fences.get(id) === fence);
  }

  #wake(): void {
    for (const wake of this.wakers) wake();
  }
}

interface ClaimAnswer extends Pick<Claim, 'nextMs'> {
  readonly mails: readonly ClaimedRow[];
  readonly promoted: number;
}

interface SettleAnswer {
  readonly changed: readonly string[];
  readonly isWaking: boolean;
}

interface RecoverAnswer extends Omit<Recovered, 'pruned'> {
  readonly isWaking: boolean;
}

interface BucketsAnswer {
  readonly now: number;
  /** By name. */
  readonly kept: Readonly<Record<string, string>>;
}

interface BlobRow {
  readonly hash: string;
  readonly bytes: string;
}

function statementsOf(names: Names) {
  return { ...changing(names), ...recovering(names), ...taking(names), ...reading(names) };
}

function heldRow({ id, fence }: Held): Held {
  return { id, fence };
}

/** What work on each resolves with, one after the other. */
async function inTurn<T, R>(all: readonly T[], work: (each: T) => Promise<readonly R[]>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const each of all) results.push(...(await work(each)));
  return results;
}
