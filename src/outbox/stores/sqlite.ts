import { ConfigurationError } from '../../model/errors.ts';
import { placesLeft, takePlaces } from '../buckets.ts';
import type {
  Blob,
  BucketLeft,
  BucketRates,
  Claim,
  ClaimedMail,
  ClaimRequest,
  Count,
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
import { SqliteDatabase } from './sqlite-database.ts';
import { added, bytesOf, claimedOf, searched, stateOf, storedOf } from './sqlite-rows.ts';
import { CLAIMED, IN_DOUBT, LATER, OLDEST, READY, SCHEMA, SENDING, STATES } from './sqlite-schema.ts';

/** The options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /** Milliseconds since 1970; default: the clock of this process. */
  readonly now?: () => number;
}

/** How often workers look for what other processes have written down, in milliseconds. */
const POLL_MS = 50;
/** How many are deleted, or taken back, in one transaction. */
const BATCH = 1_000;
/** Blobs that were used lately are kept: a mail that needs one may be about to be written down. */
const BLOB_MS = 24 * 3_600_000;

const MAIL =
  'id, key, lane, priority, order_key, message_id, state, due_at, on_doubt, facts, tries, fence, request, created_at, changed_at';

/**
 * Keeps the mails of an outbox in a file, for the processes of one machine. The file is made when there is none, readable by its
 * owner alone.
 *
 * It is Node's own SQLite from 22.13 on, which warns there that it is experimental; on Node 20 it needs the package
 * `@photostructure/sqlite`. What is written is on disk (WAL, `synchronous=FULL`) before a call resolves.
 *
 * @param path such as `./mail.db`; on a disk of this machine, not of a network.
 * @throws {ConfigurationError} `invalid-option` for a file that cannot be opened, belongs to another program, or is of a later
 *   version; `missing-dependency`
 */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): OutboxStore {
  return new SqliteStore(path, options.now ?? Date.now);
}

class SqliteStore implements OutboxStore {
  readonly name = 'sqlite';
  readonly pollMs = POLL_MS;
  readonly wakers = new Set<() => void>();
  readonly #path: string;
  readonly #now: () => number;
  #opened: SqliteDatabase | null;

  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
    this.#opened = new SqliteDatabase(path, SCHEMA);
  }

  /** Opened anew after it was closed. */
  get #database(): SqliteDatabase {
    this.#opened ??= new SqliteDatabase(this.#path, SCHEMA);
    return this.#opened;
  }

  async enqueue(mails: readonly NewMail[], { tx }: { readonly tx?: unknown }): Promise<readonly Enqueued[]> {
    if (tx !== undefined) {
      const text = "the sqlite store takes part in no transaction of the caller's: leave tx out";
      throw new ConfigurationError('invalid-option', text, { option: 'tx' });
    }
    const enqueued = await this.#database.transaction(() => this.#insert(mails));
    this.#wake();
    return enqueued;
  }

  async claim({ lanes, limit, leaseMs }: ClaimRequest): Promise<Claim> {
    if (!this.#hasDue(lanes.map(({ lane }) => lane))) return { mails: [], nextMs: this.#nextMs() };
    const mails = await this.#database.transaction(() => {
      const now = this.#now();
      this.#run(`UPDATE mail INDEXED BY mail_later SET state = ${READY} WHERE state = ${LATER} AND due_at <= ?`, now);
      const claimed: ClaimedMail[] = [];
      const take = (lane: string, most: number) => claimed.push(...this.#claimOf(lane, most, now, leaseMs));
      for (const { lane, limit: most } of lanes) take(lane, Math.min(most, limit - claimed.length));
      for (const { lane } of lanes) if (claimed.length < limit) take(lane, limit - claimed.length);
      return claimed;
    }, false);
    return { mails, nextMs: this.#nextMs() };
  }

  async renew(held: readonly Held[], leaseMs: number): Promise<readonly Held[]> {
    const sql = `UPDATE mail SET lease_until = ? WHERE id = ? AND fence = ? AND state IN (${CLAIMED}, ${SENDING})`;
    return this.#database.transaction(() => {
      const until = this.#now() + leaseMs;
      return held.filter(({ id, fence }) => this.#run(sql, until, id, fence) > 0);
    }, false);
  }

  async mark(markings: readonly Marking[]): Promise<readonly Held[]> {
    const sql = `UPDATE mail SET state = ${SENDING}, changed_at = ?,
      repeat_until = CASE WHEN request IS ? THEN repeat_until ELSE ? END, request = ?
      WHERE id = ? AND fence = ? AND state = ${CLAIMED} AND lease_until > ?`;
    return this.#database.transaction(() => {
      const now = this.#now();
      return markings.filter(
        ({ id, fence, request, repeatMs }) => this.#run(sql, now, request, now + repeatMs, request, id, fence, now) > 0,
      );
    });
  }

  async settle(settlements: readonly Settlement[], pauses: readonly Pause[] = []): Promise<readonly string[]> {
    const changed = await this.#database.transaction(() => {
      const now = this.#now();
      for (const pause of pauses) this.#pause(pause, now);
      return settlements.filter((each) => this.#change(each, now)).map(({ id }) => id);
    });
    this.#wake();
    return changed;
  }

  async recover(pruneMs?: number): Promise<Recovered> {
    const overdue = `lease_until <= ? LIMIT ${BATCH}`;
    const left = this.#database.prepare(
      `SELECT ${MAIL}, repeat_until FROM mail INDEXED BY mail_leased WHERE state IN (${CLAIMED}, ${SENDING}) AND ${overdue}`,
    );
    const isDue = pruneMs !== undefined || this.#read(() => left.get(this.#now())) !== undefined;
    if (!isDue) return { requeued: [], doubtful: [], pruned: 0 };
    const recovered = await this.#database.transaction(() => {
      const now = this.#now();
      const found = left.all(now);
      const rows = found.map(storedOf);
      for (const [place, { id, state, onDoubt, request }] of rows.entries()) {
        const isRepeated = request !== null && Number(found[place]?.['repeat_until']) > now;
        this.#takeBack(id, state === 'sending' ? onDoubt === 'hold' && !isRepeated : null, now);
      }
      const again = rows.flatMap(({ id }) => this.#mail(id) ?? []);
      const wasSending = new Set(rows.filter(({ state }) => state === 'sending').map(({ id }) => id));
      return {
        requeued: again.filter(({ id }) => !wasSending.has(id)),
        doubtful: again.filter(({ id }) => wasSending.has(id)),
        pruned: pruneMs === undefined ? 0 : this.#prune(now - pruneMs, now - BLOB_MS),
      };
    });
    if (recovered.requeued.length + recovered.doubtful.length > 0) this.#wake();
    return recovered;
  }

  async query<Q extends keyof Queries>(what: Q, ask: Queries[Q]['ask']): Promise<Queries[Q]['answer']> {
    const answers: { readonly [K in keyof Queries]: (ask: Queries[K]['ask']) => Queries[K]['answer'] } = {
      mail: ({ id }) => this.#mail(id),
      doubts: ({ messageId }) => this.#doubts(messageId),
      content: ({ id }) =>
        bytesOf(this.#database.prepare('SELECT content FROM mail WHERE id = ?').get(id)?.['content']),
      blobs: ({ hashes }) => hashes.flatMap((hash) => this.#blob(hash) ?? []),
      list: (query) => searched(query, (page) => this.#list(page)),
      counts: () => this.#counts(),
      left: () => this.#left(),
      pauses: () => this.#pauses(),
    };
    return this.#read(() => answers[what](ask));
  }

  async take(rates: readonly BucketRates[], count: number): Promise<number> {
    return this.#database.transaction(() => {
      const before = rates.map(({ bucket }) => {
        const row = this.#database.prepare('SELECT kept FROM bucket WHERE name = ?').get(bucket);
        return String(row?.['kept'] ?? '');
      });
      const { waitMs, kept } = takePlaces(before, rates, count, this.#now());
      const sql = 'INSERT INTO bucket (name, kept) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET kept = excluded.kept';
      for (const [place, text] of kept?.entries() ?? []) this.#run(sql, rates[place]?.bucket ?? '', text);
      return waitMs;
    }, false);
  }

  async close(): Promise<void> {
    this.wakers.clear();
    this.#opened?.close();
    this.#opened = null;
  }

  #wake(): void {
    for (const wake of this.wakers) wake();
  }

  #run(sql: string, ...values: readonly (string | number | null | Uint8Array)[]): number {
    return Number(this.#database.prepare(sql).run(...values).changes);
  }

  #read<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw this.#database.failure(cause);
    }
  }

  #insert(mails: readonly NewMail[]): readonly Enqueued[] {
    const now = this.#now();
    const insert = this.#database.prepare(
      `INSERT INTO mail (id, key, lane, priority, order_key, message_id, state, due_at, on_doubt, facts, content, created_at, changed_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING RETURNING seq`,
    );
    const kept = new Set<string>();
    return mails.map((mail) => {
      const { id, key, lane, priority, orderKey, messageId, onDoubt, facts, content, blobs } = mail;
      const place = [id, key, lane, priority, orderKey, messageId];
      const dueAt = mail.dueAt ?? now;
      const state = dueAt > now ? LATER : READY;
      const row = insert.get(...place, state, dueAt, onDoubt, facts, content, now, now);
      if (row === undefined) {
        const other = this.#database.prepare('SELECT id FROM mail WHERE key = ?').get(key);
        return { id: String(other?.['id']), isDuplicate: true };
      }
      for (const blob of blobs) {
        if (!kept.has(blob.hash)) this.#keep(blob, now);
        kept.add(blob.hash);
        this.#run('INSERT OR IGNORE INTO mail_blob (hash, seq) VALUES (?, ?)', blob.hash, Number(row['seq']));
      }
      return { id, isDuplicate: false };
    });
  }

  #keep({ hash, bytes }: Blob, now: number): void {
    const sql = 'INSERT INTO blob (hash, bytes, used_at) VALUES (?, ?, ?) ON CONFLICT (hash) DO UPDATE SET used_at = ?';
    this.#run(sql, hash, bytes, now, now);
  }

  /** Whether there may be something to claim; reading keeps nobody up. */
  #hasDue(lanes: readonly string[]): boolean {
    return this.#read(() => {
      const ready = this.#database.prepare(
        `SELECT 1 FROM mail INDEXED BY mail_ready WHERE state = ${READY} AND lane = ? LIMIT 1`,
      );
      const later = this.#database.prepare(
        `SELECT 1 FROM mail INDEXED BY mail_later WHERE state = ${LATER} AND due_at <= ? LIMIT 1`,
      );
      return later.get(this.#now()) !== undefined || lanes.some((lane) => ready.get(lane) !== undefined);
    });
  }

  #nextMs(): number | null {
    return this.#read(() => {
      const now = this.#now();
      const later = this.#database
        .prepare(`SELECT min(due_at) AS at FROM mail INDEXED BY mail_later WHERE state = ${LATER}`)
        .get()?.['at'];
      const paused = this.#database.prepare('SELECT min(paused_until) AS at FROM lane WHERE paused_until > ?').get(now);
      const times = [later, paused?.['at']].filter((time) => typeof time === 'number');
      return times.length === 0 ? null : Math.max(0, Math.min(...times) - now);
    });
  }

  #claimOf(lane: string, limit: number, now: number, leaseMs: number): readonly ClaimedMail[] {
    const paused =
      this.#database.prepare('SELECT paused_until AS at FROM lane WHERE lane = ?').get(lane)?.['at'] ?? null;
    if (limit === 0 || (paused !== null && Number(paused) > now)) return [];
    const sql = `UPDATE mail SET state = ${CLAIMED}, fence = fence + 1, lease_until = ?, changed_at = ?
      WHERE seq IN (
        SELECT seq FROM mail AS due INDEXED BY mail_ready WHERE state = ${READY} AND lane = ?
        AND (order_key IS NULL OR NOT EXISTS (
          SELECT 1 FROM mail AS earlier INDEXED BY mail_order
          WHERE earlier.order_key = due.order_key AND earlier.order_key IS NOT NULL
            AND earlier.state < ${IN_DOUBT} AND earlier.seq < due.seq
        ))
        ORDER BY priority DESC, seq LIMIT ?
      ) RETURNING seq, priority, id, lane, tries, fence, on_doubt, request, repeat_until, created_at, facts, content`;
    const most = paused === null ? limit : 1;
    const rows = this.#database.prepare(sql).all(now + leaseMs, now, lane, most);
    if (paused !== null && rows.length > 0)
      this.#run('UPDATE lane SET paused_until = ? WHERE lane = ?', now + leaseMs, lane);
    // RETURNING has no order of its own.
    const inOrder = rows.toSorted(
      (a, b) => Number(b['priority']) - Number(a['priority']) || Number(a['seq']) - Number(b['seq']),
    );
    return inOrder.map((row) => claimedOf(row, now, paused !== null));
  }

  #change({ id, fence, from, to, ...change }: Settlement, now: number): boolean {
    const { afterMs, isTried, facts, keepsRequest, dropsContent } = change;
    const states = from.flatMap((state) => (state === 'queued' ? [LATER, READY] : [STATES.indexOf(state)]));
    const state = to === 'queued' ? (afterMs > 0 ? LATER : READY) : STATES.indexOf(to);
    const sql = `UPDATE mail SET state = ?, due_at = ?, changed_at = ?, tries = tries + ?, facts = coalesce(?, facts),
      request = CASE WHEN ? THEN request END, content = CASE WHEN ? THEN NULL ELSE content END, fence = fence + 1, lease_until = 0
      WHERE id = ? AND fence = coalesce(?, fence) AND state IN (${states.join()})`;
    const dropped = dropsContent ? 1 : 0;
    const kept = keepsRequest ? 1 : 0;
    const values = [state, now + afterMs, now, isTried ? 1 : 0, facts, kept, dropped, id, fence];
    if (this.#run(sql, ...values) === 0) return false;
    if (dropsContent) this.#run('DELETE FROM mail_blob WHERE seq = (SELECT seq FROM mail WHERE id = ?)', id);
    return true;
  }

  #pause({ lane, ms, reason }: Pause, now: number): void {
    if (ms === 0) this.#run('UPDATE lane SET paused_until = NULL WHERE lane = ?', lane);
    else {
      const sql = `INSERT INTO lane (lane, paused_until, reason) VALUES (?, ?, ?)
        ON CONFLICT (lane) DO UPDATE SET paused_until = excluded.paused_until, reason = excluded.reason`;
      this.#run(sql, lane, now + ms, reason);
    }
  }

  /** @param isHeld whether somebody has to decide; null for what was not being sent */
  #takeBack(id: string, isHeld: boolean | null, now: number): void {
    const sql = `UPDATE mail SET state = ?, due_at = ?, changed_at = ?, lease_until = 0, tries = tries + ?, fence = fence + ?
      WHERE id = ?`;
    // The word of a worker that was thought dead counts as long as nobody else has decided.
    this.#run(sql, isHeld ? IN_DOUBT : READY, now, now, isHeld === null ? 0 : 1, isHeld ? 0 : 1, id);
  }

  #prune(endedBefore: number, unusedSince: number): number {
    const ended = `SELECT seq FROM mail INDEXED BY mail_ended WHERE state > ${IN_DOUBT} AND changed_at <= ? ORDER BY changed_at LIMIT ${BATCH}`;
    this.#run(`DELETE FROM mail_blob WHERE seq IN (${ended})`, endedBefore);
    const pruned = this.#run(`DELETE FROM mail WHERE seq IN (${ended})`, endedBefore);
    const unused = 'used_at <= ? AND NOT EXISTS (SELECT 1 FROM mail_blob WHERE mail_blob.hash = blob.hash)';
    this.#run(`DELETE FROM blob WHERE hash IN (SELECT hash FROM blob WHERE ${unused} LIMIT ${BATCH})`, unusedSince);
    return pruned;
  }

  #mail(id: string): StoredMail | null {
    const row = this.#database.prepare(`SELECT ${MAIL} FROM mail WHERE id = ?`).get(id);
    return row === undefined ? null : storedOf(row);
  }

  #doubts(messageId: string): readonly StoredMail[] {
    const sql = `SELECT ${MAIL} FROM mail INDEXED BY mail_doubt
      WHERE message_id = ? AND (state IN (${SENDING}, ${IN_DOUBT}) OR request IS NOT NULL)`;
    return this.#database.prepare(sql).all(messageId).map(storedOf);
  }

  #blob(hash: string): Blob | null {
    const bytes = bytesOf(this.#database.prepare('SELECT bytes FROM blob WHERE hash = ?').get(hash)?.['bytes']);
    return bytes === null ? null : { hash, bytes };
  }

  #list({ state, lane, text, before, limit }: ListQuery): readonly StoredMail[] {
    const states = state === undefined ? null : state === 'queued' ? [LATER, READY] : [STATES.indexOf(state)];
    const wanted = [
      ...(states === null ? [] : [`state IN (${states.join()})`]),
      ...(lane === undefined ? [] : ['lane = ?']),
      ...(text === undefined ? [] : ['instr(lower(facts), lower(?)) > 0']),
      ...(before === undefined ? [] : ['id < ?']),
    ];
    const where = wanted.length === 0 ? '' : `WHERE ${wanted.join(' AND ')}`;
    const values = [lane, text, before].filter((value) => value !== undefined);
    const sql = `SELECT ${MAIL} FROM mail ${where} ORDER BY id DESC LIMIT ?`;
    return this.#database
      .prepare(sql)
      .all(...values, limit)
      .map(storedOf);
  }

  /** Read from indexes alone: there may be millions. */
  #counts(): readonly Count[] {
    const now = this.#now();
    const counts = new Map<string, Count>();
    for (const row of this.#database
      .prepare('SELECT state, lane, count(*) AS n FROM mail GROUP BY state, lane')
      .all()) {
      const [lane, state] = [String(row['lane']), stateOf(row)];
      const oldest = OLDEST[Number(row['state'])];
      const since = oldest === undefined ? null : Number(this.#database.prepare(oldest).get(lane)?.['at']);
      const counted = { lane, state, count: Number(row['n']), oldestMs: since === null ? null : now - since };
      counts.set(`${state} ${lane}`, added(counted, counts.get(`${state} ${lane}`)));
    }
    return [...counts.values()];
  }

  #left(): readonly BucketLeft[] {
    const rows = this.#database.prepare('SELECT name, kept FROM bucket').all();
    return rows.map(({ name, kept }) => ({ bucket: String(name), left: placesLeft(String(kept), this.#now()) }));
  }

  #pauses(): readonly Pause[] {
    const now = this.#now();
    const rows = this.#database
      .prepare('SELECT lane, paused_until, reason FROM lane WHERE paused_until IS NOT NULL')
      .all();
    return rows.map((row) => ({
      lane: String(row['lane']),
      ms: Math.max(0, Number(row['paused_until']) - now),
      reason: String(row['reason']),
    }));
  }
}
