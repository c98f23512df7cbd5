import type { EmailBackend } from '../backend/backend.ts';
import type { Messages } from '../backend/call/message-source.ts';
import { deliverEach } from '../backend/deliver-each.ts';
import type { DeliveryFilter } from '../backend/filter.ts';
import { type DeliveryResult, type Job, sameForAll, whileReading } from '../backend/job.ts';
import { Part } from '../backend/part.ts';
import { stagingFilter } from '../backend/staging/staging-rules.ts';
import { generateMessageId } from '../mime/compose/message-id.ts';
import { copyError } from '../model/error-copies.ts';
import { type EmailMessage, withContentRead, withIdAndDate } from '../model/message.ts';
import type { EmailMessageDraft } from '../model/message-init.ts';
import { loaded } from '../options/late-module.ts';
import { checkOptions } from '../options/option-table.ts';
import { keepMessage, keptMessage } from './content.ts';
import { DASHBOARD_OPTIONS, type DashboardOptions } from './dashboard-options.ts';
import { isOne, withFields } from './enqueue-fields.ts';
import { Entrance } from './entrance.ts';
import { factsOf, type MailFacts, type OutboxRecipient, readFacts, withEvent, writeFacts } from './facts.ts';
import { Grouped } from './grouped.ts';
import { endOf, judge } from './judge.ts';
import { issue, readChoice, refusedOption, unknownLane, withoutOutbox } from './lane-choice.ts';
import { afterEvent, type Change, type DeliveryEvent, isInDoubt, learnedOf } from './learn.ts';
import { newMailId } from './mail-id.ts';
import { Meter } from './meter.ts';
import { type OutboxMail, outboxMail } from './outbox-mail.ts';
import { KEEP_MS, LANES, type LaneChoice, laneRates, OUTBOX_OPTIONS, type OutboxOptions } from './outbox-options.ts';
import { healthOf, numbersOf, type OutboxHealth, type OutboxStats, statsOf } from './outbox-stats.ts';
import { checkDecision, checkList, checkPrune } from './questions.ts';
import { Seal } from './seal.ts';
import type { Enqueued, ListQuery, MailState, NewMail, OutboxStore, Settlement, StoredMail } from './store.ts';
import { tellOfChange } from './tell-of-change.ts';
import { traceEnqueue } from './trace-enqueue.ts';
import type { WorkOptions, WorkReport } from './work-options.ts';
import { Worker } from './worker.ts';
import { triedOnceOver } from './worker-host.ts';

/** The options of an {@link Outbox} whose connection and store are made. */
export interface MadeOutboxOptions extends OutboxOptions {
  /** As a function such as `sqliteStore` makes it. */
  readonly store: OutboxStore;
  /** As `getConnection` makes it. */
  readonly connection: EmailBackend;
}

/** How mails are written down. */
export interface EnqueueOptions extends LaneChoice {
  /** Makes it one mail however often it is enqueued, as the message's own field does; of several messages each gets its place behind it. */
  readonly idempotencyKey?: string;
  /** When it is to be sent, as the message's own field. */
  readonly sendAt?: Date;
  /** A transaction of the store's database: the mails exist once it is committed. */
  readonly tx?: unknown;
}

/** How many mails are written down in one transaction. */
const AT_ONCE = 1_000;

/**
 * Mails that are written down first and sent later, once, by whoever is alive: {@link Outbox.work}, in this process or another.
 *
 * A mail is `queued`, then `claimed` by a worker, and `sending` from just before its first byte leaves that could deliver it. It
 * ends as `sent`, `failed` or `cancelled`. When a worker dies with a mail that was being sent, that is `in-doubt`: it is held until
 * somebody decides ({@link Outbox.resolve}), unless `onDoubt` says that it may be doubled.
 */
export class Outbox implements AsyncDisposable {
  readonly #options: MadeOutboxOptions;
  readonly #store: OutboxStore;
  readonly #part: Part;
  readonly #seal: Seal;
  readonly #lanes: NonNullable<OutboxOptions['lanes']>;
  readonly #rates: ReturnType<typeof laneRates>;
  readonly #defaultLane: string;
  readonly #workers = new Map<Worker, Promise<WorkReport>>();
  readonly #meter = new Meter();
  readonly #closing = new AbortController();
  /** Of all calls together: many at once are one commit. */
  readonly #writing = this.#writingIn({});

  /** @throws {ConfigurationError} `invalid-option`, `unknown-option`, `conflicting-options`, `invalid-backend` */
  constructor(options: MadeOutboxOptions) {
    checkOptions('Outbox', OUTBOX_OPTIONS, options);
    this.#options = options;
    this.#store = options.store;
    this.#part = new Part(options.connection, guards);
    this.#seal = new Seal(options.sealKey);
    this.#lanes = options.lanes ?? LANES;
    this.#rates = laneRates(this.#lanes);
    const [first = ''] = Object.keys(this.#lanes);
    this.#defaultLane = options.lane ?? first;
    if (!Object.hasOwn(this.#lanes, this.#defaultLane)) throw unknownLane(this.#defaultLane, this.#lanes);
  }

  /**
   * Writes mails down; they are on disk when it resolves, or part of the transaction `tx`.
   *
   * @returns for each, in order, its id, or that of the mail that had its idempotency key before.
   * @throws {MessageError | ConfigurationError | EmailConnectionError} when one could not be written down; `error.status` tells
   *   of each.
   */
  async enqueue(
    mails: EmailMessage | EmailMessageDraft | Messages,
    options: EnqueueOptions = {},
  ): Promise<readonly Enqueued[]> {
    const { tx, idempotencyKey, sendAt, ...given } = options;
    const choice = readChoice({ ...given }, refusedOption);
    if (choice.lane !== undefined && !Object.hasOwn(this.#lanes, choice.lane))
      throw unknownLane(choice.lane, this.#lanes);
    const list = isOne(mails) ? [mails] : mails;
    const hasFields = idempotencyKey !== undefined || sendAt !== undefined;
    const entrance = new Entrance(this.#options, (jobs) => this.deliver(jobs, choice, tx));
    const status = await entrance.sendMessages(hasFields ? withFields(list, idempotencyKey, sendAt) : list);
    for (const { error } of status.results) if (error !== null) throw copyError(error, { status });
    return status.results.map(({ espResponse }) => espResponse as Enqueued); // as written below
  }

  /**
   * Writes down what a backend gets.
   *
   * @internal
   */
  deliver(jobs: AsyncIterable<Job>, choice: LaneChoice = {}, tx?: unknown): AsyncIterable<DeliveryResult> {
    const writing = tx === undefined ? this.#writing : this.#writingIn({ tx });
    return deliverEach(jobs, (job) => this.#write(job, choice, writing), AT_ONCE);
  }

  /**
   * Sends what is due, until `signal` aborts, then what is under way.
   *
   * @throws {EmailError} when the store does not work when it begins; later it goes on as soon as that works again.
   */
  async work(options: WorkOptions = {}): Promise<WorkReport> {
    const worker = new Worker(
      {
        store: this.#store,
        part: this.#part,
        readFacts: ({ facts }) => readFacts(facts),
        open: ({ content }) => keptMessage(content, this.#seal, (hashes) => this.#blobsOf(hashes)),
        lanes: this.#lanes,
        options: this.#options,
        keepMs: this.#options.keepMs ?? KEEP_MS,
        meter: this.#meter,
        deliver: triedOnceOver(this.#part),
        judge,
      },
      options,
    );
    const working = worker.run();
    this.#workers.set(worker, working);
    try {
      return await working;
    } finally {
      this.#workers.delete(worker);
    }
  }

  /** Sends what is due now, and what comes due meanwhile; for tests and for programs that run from time to time. */
  flush(options: Omit<WorkOptions, 'once'> = {}): Promise<WorkReport> {
    return this.work({ ...options, once: true });
  }

  /** A mail by its id; null when there is none. */
  async get(id: string): Promise<OutboxMail | null> {
    const stored = await this.#store.query('mail', { id });
    return stored === null ? null : outboxMail(stored);
  }

  /** What a mail sends; null when there is no such mail, or its content is not kept any more. */
  async message(id: string): Promise<EmailMessage | null> {
    const content = await this.#store.query('content', { id });
    return content === null ? null : keptMessage(content, this.#seal, (hashes) => this.#blobsOf(hashes));
  }

  /** The mails of a state, a lane or with a text in addresses, subject or results, newest first; 100 unless `limit` says otherwise. */
  async list(query: Partial<ListQuery> = {}): Promise<readonly OutboxMail[]> {
    checkList(query);
    const { text } = query;
    // As it stands in the facts, which are JSON.
    const written = text !== undefined && { text: JSON.stringify(text).slice(1, -1) };
    return (await this.#store.query('list', { limit: 100, ...query, ...written })).map(outboxMail);
  }

  /**
   * Keeps a mail from being sent that waits, or any further; it is in doubt when a try before left somebody in doubt. False when it
   * does not wait, or not any more.
   */
  async cancel(id: string): Promise<boolean> {
    const changed = await this.#change(id, ['queued'], (facts, { request }) => {
      // Of what is to be asked again nobody knows whether they have got it.
      const recipients = facts.recipients.map((each): OutboxRecipient => {
        return { ...each, isOpen: false, ...(each.isOpen && request !== null && { status: 'unknown' }) };
      });
      const isDoubtful = recipients.some(({ status }) => status === 'unknown');
      return { to: isDoubtful ? 'in-doubt' : 'cancelled', facts: withEvent(facts, 'cancelled', '', recipients) };
    });
    return changed !== null;
  }

  /** Sends a mail now that waits for another try, or has failed, to those who have not got it; false when it is in another state. */
  async retry(id: string): Promise<boolean> {
    const changed = await this.#change(id, ['queued', 'failed'], (facts, { tries }) => {
      const isMissing = ({ status, isOpen }: OutboxRecipient) =>
        isOpen || ['failed', 'rejected', 'invalid'].includes(status);
      const recipients = facts.recipients.map((each) => ({ ...each, isOpen: isMissing(each) }));
      return { to: 'queued', facts: { ...withEvent(facts, 'retried', '', recipients), decidedAfter: tries } };
    });
    return changed !== null;
  }

  /**
   * Decides about a mail in doubt: it was `sent`, or it is to be sent again to those of whom nobody knows, with the same
   * Message-ID; false when it is in another state.
   */
  async resolve(id: string, decision: 'sent' | 'resend'): Promise<boolean> {
    checkDecision(decision);
    const changed = await this.#change(id, ['in-doubt'], (facts, { tries }) => {
      const isResent = decision === 'resend';
      const recipients = facts.recipients.map((each): OutboxRecipient => {
        return isInDoubt(each) ? { ...each, status: isResent ? 'queued' : 'sent', isOpen: isResent } : each;
      });
      const to = isResent ? 'queued' : endOf(recipients);
      const told = withEvent(facts, 'resolved', decision, recipients);
      return { to, facts: isResent ? { ...told, decidedAfter: tries } : told };
    });
    return changed !== null;
  }

  /**
   * Takes what a provider tells of a recipient later, as by a webhook: who was in doubt has got the mail, or has not. Nothing
   * else is changed, and nothing that somebody has decided, nor any of several mails with one Message-ID that it may be about. True
   * when a mail in doubt is the clearer for it.
   */
  async learn(event: DeliveryEvent): Promise<boolean> {
    const { messageId } = event;
    if (messageId === null) return false;
    const found = await this.#store.query('doubts', { messageId: messageId.replace(/^<(.*)>$/, '$1') });
    const [mail, ...others] = found.filter((each) => afterEvent(readFacts(each.facts), event) !== null);
    if (mail === undefined || others.length > 0) return false;
    const changed = await this.#change(mail.id, ['sending', 'in-doubt', 'queued'], (facts, stored) => {
      return learnedOf(stored, afterEvent(facts, event));
    });
    if (changed !== null && changed.to !== 'in-doubt') tellOfChange(mail, changed.to, changed.facts);
    return changed !== null;
  }

  /** How many mails there are, by lane and state, and what is left of rates. */
  async stats(): Promise<OutboxStats> {
    return statsOf(await numbersOf(this.#store), this.#rates);
  }

  /** Whether somebody should look at it. @throws {EmailError} when the store cannot be asked: somebody should. */
  async health(): Promise<OutboxHealth> {
    return healthOf(await this.stats());
  }

  /**
   * How many mails there are by lane and state, how old they are, and what the workers of this object have done, in Prometheus's
   * text format 0.0.4 (`content-type: text/plain; version=0.0.4`).
   */
  async metrics(): Promise<string> {
    const { metricsText } = await loaded(import('./dashboard/metrics.ts'));
    return metricsText(this.#rates, await numbersOf(this.#store), this.#meter);
  }

  /**
   * A page that shows the outbox and decides about its mails, at the one path where it is mounted, for GET and POST. Without `auth`
   * it answers requests to this machine's own names alone. In a bundle, which lacks its files, each request rejects with `load-failed`.
   *
   * @throws {ConfigurationError} `invalid-option`, `unknown-option`
   */
  dashboard(options: DashboardOptions = {}): (request: Request) => Promise<Response> {
    checkOptions('dashboard', DASHBOARD_OPTIONS, options);
    const host = {
      outbox: this,
      store: this.#store,
      rates: this.#rates,
      meter: this.#meter,
      signal: this.#closing.signal,
    };
    const opened = loaded(import('./dashboard/late.ts'))
      .then(({ lateDashboard }) => lateDashboard())
      .then((openDashboard) => openDashboard(host, options));
    opened.catch(() => {}); // each request tells
    return async (request) => (await opened)(request);
  }

  /** Deletes mails that were sent, failed or cancelled longer ago; workers do so by themselves after `keepMs`. */
  async prune(options: { readonly olderThanMs?: number } = {}): Promise<number> {
    checkPrune(options);
    const { olderThanMs = this.#options.keepMs ?? KEEP_MS } = options;
    let pruned = 0;
    for (let some = 1; some > 0; pruned += some) some = (await this.#store.recover(olderThanMs)).pruned;
    return pruned;
  }

  /**
   * Makes the tables of the store, or changes them to what this version needs, where that is left to people, as in Postgres.
   *
   * @throws {ConfigurationError} `invalid-option` when they are of a newer version.
   * @throws {EmailConnectionError} when it could not be done; nothing was changed.
   */
  async migrate(): Promise<void> {
    const store: OutboxStore & { migrate?(): Promise<void> } = this.#store;
    await store.migrate?.();
  }

  /** Ends the workers of this object, and waits for what they have under way; then closes store and connection. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const worker of this.#workers.keys()) worker.stop();
    await Promise.allSettled(this.#workers.values());
    await Promise.all([this.#store.close(), this.#options.connection.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #writingIn(given: { readonly tx?: unknown }): Grouped<NewMail, Enqueued> {
    return new Grouped((mails) => this.#store.enqueue(mails, given), AT_ONCE);
  }

  async #write(job: Job, choice: LaneChoice, writing: Grouped<NewMail, Enqueued>): Promise<DeliveryResult> {
    const read = await whileReading(withContentRead(job.message, job.signal), job.signal);
    const id = newMailId();
    const { message, lane, priority, orderKey, onDoubt } = this.#prepare(read, choice, id);
    const { content, blobs } = keepMessage(message, this.#seal);
    const { idempotencyKey: key, messageId } = message;
    const dueAt = read.sendAt?.getTime() ?? null;
    const enqueued = await traceEnqueue(id, lane, (traceparent) => {
      const facts = writeFacts(factsOf(message, traceparent));
      return writing.add({ id, key, lane, priority, orderKey, messageId, dueAt, onDoubt, facts, content, blobs });
    });
    const { index } = job;
    return { index, messageId, recipients: sameForAll(message, 'queued', { messageId }), espResponse: enqueued };
  }

  /** What every try sends alike, and which way it goes. */
  #prepare(given: EmailMessage, choice: LaneChoice, id: string) {
    const own = given.espExtra?.['outbox'];
    const {
      lane = this.#defaultLane,
      priority = 0,
      orderKey = null,
      onDoubt = this.#options.onDoubt ?? 'hold',
    } = {
      ...choice,
      ...(own === undefined ? undefined : readChoice(own, issue)),
    };
    if (!Object.hasOwn(this.#lanes, lane)) throw issue('lane', unknownLane(lane, this.#lanes).message);
    const needsKey = given.mergeData !== null && given.idempotencyKey === null;
    const changes = {
      ...(given.sendAt !== null && { sendAt: null }),
      ...(own !== undefined && { espExtra: withoutOutbox(given.espExtra) }),
      // Each recipient's mail has an id of its own then, made of this.
      ...(needsKey && this.#part.facts.features.has('idempotencyKey') && { idempotencyKey: id }),
    };
    const message = Object.keys(changes).length === 0 ? given : given.with(changes);
    if (message.mergeData !== null) return { message, lane, priority, orderKey, onDoubt };
    const fixed = withIdAndDate(message, message.messageId ?? generateMessageId(message), message.date ?? new Date());
    return { message: fixed, lane, priority, orderKey, onDoubt };
  }

  async #blobsOf(hashes: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    const blobs = await this.#store.query('blobs', { hashes });
    return new Map(blobs.map(({ hash, bytes }) => [hash, this.#seal.open(bytes)]));
  }

  async #change(
    id: string,
    from: readonly MailState[],
    change: (facts: MailFacts, stored: StoredMail) => Change | null,
  ): Promise<Change | null> {
    // A worker may try it between reading and writing: what it learned of recipients must not be lost.
    for (;;) {
      const stored = await this.#store.query('mail', { id });
      if (stored === null || !from.includes(stored.state)) return null;
      const told = change(readFacts(stored.facts), stored);
      if (told === null) return null;
      const changed = await this.#store.settle([this.#changeOf(stored, from, told)]);
      if (changed.length === 0) continue;
      return told;
    }
  }

  #changeOf({ id, fence, state }: StoredMail, from: readonly MailState[], { to, facts }: Change): Settlement {
    return {
      ...{ id, fence, from, to, afterMs: 0, isTried: false, facts: writeFacts(facts) },
      keepsRequest: state === 'queued' && to === 'queued',
      dropsContent: to === 'cancelled' || (to === 'sent' && this.#options.keepSent !== true),
    };
  }
}

/** What lies in a database may have been written down where no guard was set, as in a copy of production's. */
function guards(): readonly DeliveryFilter[] {
  const staging = stagingFilter();
  return staging === null ? [] : [staging];
}
