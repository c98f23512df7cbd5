import type { DeliveryResult } from '../backend/job.ts';
import { ConfigurationError, MessageError } from '../model/errors.ts';
import { checkOptions } from '../options/option-table.ts';
import { addAbortListener, removeAbortListener } from '../util/abort-listeners.ts';
import { SYSTEM_CLOCK } from '../util/clock.ts';
import { DeadlinePassed } from '../util/deadline.ts';
import { pause } from '../util/pause.ts';
import { reasonOf } from '../util/reason.ts';
import { type MailFacts, readFacts, withEvent } from './facts.ts';
import { Grouped } from './grouped.ts';
import { LanePauses } from './lane-pauses.ts';
import { LaneShares } from './lanes.ts';
import { Limits } from './limits.ts';
import { MailQueue, tracedMail } from './mail-queue.ts';
import { Marks } from './marks.ts';
import { Tally } from './meter.ts';
import { type OpenMail, openMail, type Withheld } from './open-mail.ts';
import { DELAYS_MS, LEASE_MS } from './outbox-options.ts';
import { RestingLanes } from './resting-lanes.ts';
import { DamagedContent } from './seal.ts';
import { isCutShort, settlementOf } from './settlement.ts';
import type { ClaimedMail, Pause, Settlement } from './store.ts';
import { STORE_WAIT_MS, storeWaitMs } from './store-wait.ts';
import { StoreWatch } from './store-watch.ts';
import { tellOfChange, warnOfDoubt } from './tell-of-change.ts';
import { WORK_OPTIONS, type WorkOptions, type WorkReport } from './work-options.ts';
import type { WorkerHost } from './worker-host.ts';

/** A settlement, and what is told once it is written down. */
interface Ending {
  readonly settlement: Settlement;
  readonly pause: Pause | null;
  readonly mail: OpenMail;
  readonly facts: MailFacts;
  /** Whether it is told of: not of a mail that is merely given back. */
  readonly isTold: boolean;
}

const CONCURRENCY = 100;
const DRAIN_MS = 30_000;
/** Without other news it looks again after this time: for what was put off, or left behind by others. */
const LONGEST_WAIT_MS = 5_000;
const PRUNE_EVERY_MS = 600_000;
/** Claims mails, has them sent, and writes down what became of them; its calls of the store are few, each for many mails. */
export class Worker {
  readonly #host: WorkerHost;
  readonly #options: WorkOptions;
  readonly #leaseMs: number;
  readonly #shares: LaneShares;
  readonly #queue: MailQueue;
  readonly #open = new Map<number, OpenMail>();
  readonly #marks: Marks;
  readonly #settling = new Grouped<Ending, undefined>((endings) => this.#settle(endings));
  readonly #pauses = new LanePauses();
  readonly #resting = new RestingLanes();
  readonly #watch = new StoreWatch();
  readonly #tally: Tally;
  #count = 0;
  #wake: (() => void) | null = null;
  /** Something may have changed since it was looked at. */
  #isStale = false;
  /** Once it ends, nothing is begun that the connection has only asked for ahead; then the time for what was under way has passed. */
  #stage: 'working' | 'ending' | 'drained' = 'working';
  /** What it cannot go on after. */
  #failure: { readonly error: unknown } | null = null;

  /** @throws {ConfigurationError} `invalid-option`, also for a lane that there is none of; `unknown-option` */
  constructor(host: WorkerHost, options: WorkOptions) {
    checkOptions('work', WORK_OPTIONS, options);
    const { lanes = Object.keys(host.lanes) } = options;
    const unknown = lanes.find((lane) => !Object.hasOwn(host.lanes, lane));
    if (unknown !== undefined) {
      const text = `there is no lane '${unknown}' in the outbox; its lanes are ${Object.keys(host.lanes).join(', ')}`;
      throw new ConfigurationError('invalid-option', text, { option: 'lanes' });
    }
    this.#host = host;
    this.#options = options;
    this.#tally = new Tally(host.meter);
    this.#leaseMs = host.options.leaseMs ?? LEASE_MS;
    this.#shares = new LaneShares(Object.fromEntries(lanes.map((lane) => [lane, host.lanes[lane] ?? {}])));
    const { store, part } = host;
    this.#marks = new Marks(store, part.idempotencyMs);
    const owner = {
      awaitsCommit: part.awaitsCommit,
      commit: (mail: OpenMail, request?: string) => this.#commit(mail, request ?? null),
      limits: new Limits(store, part),
      failed: (error: unknown) => options.once && this.#fail(error),
      rest: (lane: string, ms: number) => {
        this.#resting.add(lane, ms);
        this.#giveBack(lane);
      },
    };
    this.#queue = new MailQueue(owner, this.#shares.names, host.lanes);
  }

  async run(): Promise<WorkReport> {
    const { store } = this.#host;
    const { signal, drainMs = DRAIN_MS } = this.#options;
    const news = () => this.#news();
    store.wakers.add(news);
    addAbortListener(signal, news);
    const abort = new AbortController();
    const stopTimers = new AbortController();
    try {
      await this.#recover();
      const delivering = this.#deliver(abort.signal).catch((error: unknown) => this.#fail(error));
      const renewing = this.#every(this.#leaseMs / 3, stopTimers.signal, () => this.#renew());
      const recovering = this.#every(this.#leaseMs / 2, stopTimers.signal, () => this.#recover());
      const pruning = this.#prune(stopTimers.signal);
      await this.#claimAll();
      this.#stage = 'ending';
      this.#giveBack();
      this.#queue.close();
      const stopDraining = SYSTEM_CLOCK.wakeAfter(drainMs, () => {
        this.#stage = 'drained';
        abort.abort(new DeadlinePassed(drainMs));
      });
      await delivering;
      await this.#settling.idle();
      // What the connection never had, the call has given no answer to.
      if (this.#failure === null) for (const mail of this.#open.values()) this.#end(this.#backOf(mail));
      await this.#settling.idle();
      stopDraining();
      stopTimers.abort();
      await Promise.all([renewing, recovering, pruning]);
    } finally {
      stopTimers.abort();
      store.wakers.delete(news);
      removeAbortListener(signal, news);
    }
    if (this.#failure !== null) throw this.#failure.error;
    return this.#tally.report;
  }

  /** Ends it as its signal does, unless it ends by itself. */
  stop(): void {
    if (this.#options.once || this.#stage !== 'working') return;
    this.#stage = 'ending';
    this.#news();
  }

  #news(): void {
    this.#isStale = true;
    this.#wake?.();
  }

  /** Claims as long as there are places, until it is ended; with `once`, until nothing is due. */
  async #claimAll(): Promise<void> {
    const { signal, once = false, concurrency = CONCURRENCY } = this.#options;
    while (!signal?.aborted && this.#stage === 'working' && this.#failure === null) {
      // What can be claimed and not be marked would come back at once.
      if (this.#marks.failures > 0) await pause(storeWaitMs(this.#marks.failures), signal);
      this.#isStale = false;
      const held = this.#queue.heldBack;
      const places = concurrency - this.#open.size + held.count;
      if (places <= 0) {
        await this.#wait(LONGEST_WAIT_MS);
        continue;
      }
      try {
        const isKeptBack = (lane: string) => this.#resting.has(lane) || held.lanes.has(lane);
        const lanes = this.#shares.shares(places).filter(({ lane }) => !isKeptBack(lane));
        const askedAt = SYSTEM_CLOCK.now();
        const { mails, nextMs } =
          lanes.length === 0
            ? { mails: [], nextMs: null }
            : await this.#host.store.claim({ lanes, limit: places, leaseMs: this.#leaseMs });
        this.#watch.works();
        this.#shares.settle(lanes, mails);
        await Promise.all(mails.map((mail) => this.#take(mail, askedAt)));
        if (mails.length === places) continue;
        if (once && mails.length === 0 && this.#open.size === 0) return;
        const waits = [nextMs ?? LONGEST_WAIT_MS, this.#host.store.pollMs ?? LONGEST_WAIT_MS, LONGEST_WAIT_MS];
        await this.#wait(Math.min(...waits, this.#resting.nextMs, held.nextMs));
      } catch (error) {
        if (once) return this.#fail(error);
        await this.#wait(this.#watch.failed(error));
      }
    }
  }

  /** Waits for news, at most so long. */
  #wait(ms: number): Promise<void> {
    if (this.#isStale) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = SYSTEM_CLOCK.wakeAfter(Math.max(1, ms), () => this.#wake?.());
      this.#wake = () => {
        cancel();
        this.#wake = null;
        resolve();
      };
    });
  }

  /** A claimed mail goes to the queue; one that cannot be read has failed, and keeps nobody up. */
  async #take(claimed: ClaimedMail, claimedAt: number): Promise<void> {
    const facts = this.#host.readFacts(claimed);
    // With it workers have died again and again: perhaps it is the reason, and each time it may have been sent.
    if (claimed.tries > Math.max(this.#delaysMs.length, facts.decidedAfter ?? 0)) return this.#hold(claimed, facts);
    try {
      const message = await this.#host.open(claimed);
      const hasKeys = this.#host.part.idempotencyMs !== null;
      const mail = openMail({ index: this.#count++, claimed, facts, message, claimedAt, hasKeys });
      this.#open.set(mail.index, mail);
      this.#queue.add(mail);
    } catch (error) {
      await this.#endUnread(claimed, facts, error);
    }
  }

  async #hold(claimed: ClaimedMail, facts: MailFacts): Promise<void> {
    const told = withEvent(facts, 'in-doubt', `it was tried ${claimed.tries} times, and is not tried again by itself`);
    const changed = await this.#host.store.settle([settlementOf(claimed, 'in-doubt', { facts: told })]);
    if (changed.length === 0) return;
    this.#tally.add(claimed.lane, 'in-doubt');
    warnOfDoubt(changed);
    tellOfChange(claimed, 'in-doubt', told);
  }

  get #delaysMs(): readonly number[] {
    return this.#host.options.retry?.delaysMs ?? DELAYS_MS;
  }

  /** The key that is missing concerns all mails; what is damaged, or cannot be sent any more, this one alone. */
  async #endUnread(claimed: ClaimedMail, facts: MailFacts, error: unknown): Promise<void> {
    const { store } = this.#host;
    const reason = reasonOf(error);
    if (error instanceof ConfigurationError) {
      const told = withEvent(facts, 'put-off', `it cannot be read: ${reason}`);
      await store.settle([settlementOf(claimed, 'queued', { facts: told })], [this.#pauses.pause(claimed, reason)]);
    } else if (error instanceof DamagedContent || error instanceof MessageError) {
      const told = withEvent(facts, 'tried', `it cannot be read: ${reason}`);
      const to = claimed.request === null ? 'failed' : 'in-doubt';
      const changed = await store.settle([settlementOf(claimed, to, { facts: told, isTried: true })]);
      if (changed.length === 0) return;
      this.#tally.add(claimed.lane, to);
      if (to === 'in-doubt') warnOfDoubt(changed);
      tellOfChange(claimed, to, told);
    } else {
      // The store did not give it: that says nothing of the mail.
      await store.settle([settlementOf(claimed, 'queued', { afterMs: STORE_WAIT_MS })]);
      throw error;
    }
  }

  /** One long call of the connection: it asks for mails when it has room, and answers each. */
  async #deliver(signal: AbortSignal): Promise<void> {
    const mailOf = (index: number) => tracedMail(this.#open.get(index));
    for await (const answer of this.#host.deliver(this.#queue, { signal, mailOf })) {
      const mail = this.#open.get(answer.index);
      if (mail !== undefined) this.#end(this.#endingOf(mail, answer));
    }
    await this.#settling.idle();
  }

  #end(ending: Ending): void {
    this.#settling.add(ending).catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#news();
  }

  async #commit(mail: OpenMail, request: string | null): Promise<boolean> {
    const withheld = this.#stage === 'working' ? await this.#marks.mark(mail, request) : { isInDoubt: false };
    mail.withheld = withheld;
    if (withheld === null) return true;
    if (!this.#host.part.awaitsCommit) this.#end(this.#withheld(mail, withheld)); // the connection never has it
    return false;
  }

  #endingOf(mail: OpenMail, answer: DeliveryResult): Ending {
    if (mail.withheld !== null) return this.#withheld(mail, mail.withheld);
    if (this.#stage === 'drained' && isCutShort(answer)) return this.#backOf(mail);
    const { claimed } = mail;
    const { id, lane, tries, onDoubt, isProbe, request } = claimed;
    const repeatMs = mail.repeatUntil - SYSTEM_CLOCK.now();
    const waits = { delaysMs: this.#delaysMs, pauseMs: this.#pauses.msFor(claimed), random: Math.random };
    const {
      to,
      facts,
      afterMs,
      isTried,
      keepsRequest,
      pause: paused,
    } = this.#host.judge(
      { id, lane, tries, onDoubt, facts: mail.facts, isRepeated: request !== null, repeatMs },
      answer,
      waits,
    );
    if (paused === null) this.#pauses.clear(lane);
    else this.#pauses.pause(claimed, paused.reason);
    const dropsContent = to === 'sent' && this.#host.options.keepSent !== true;
    return {
      settlement: settlementOf(claimed, to, {
        ...(facts !== mail.facts && { facts }),
        afterMs,
        isTried,
        keepsRequest,
        dropsContent,
      }),
      pause: paused ?? (isProbe ? { lane, ms: 0, reason: '' } : null),
      mail,
      facts,
      isTold: isTried,
    };
  }

  #withheld(mail: OpenMail, { isInDoubt }: Withheld): Ending {
    if (!isInDoubt) return this.#backOf(mail);
    const text = 'it may have been sent, and cannot be asked about: another request, or too late';
    const facts = withEvent(mail.facts, 'in-doubt', text);
    const settlement = settlementOf(mail.claimed, 'in-doubt', { facts });
    return { settlement, pause: null, mail, facts, isTold: true };
  }

  /** Gives a mail back that has certainly not left. */
  #backOf(mail: OpenMail): Ending {
    return { settlement: settlementOf(mail.claimed, 'queued'), pause: null, mail, facts: mail.facts, isTold: false };
  }

  /** Gives back what the connection has not asked for: of a lane, or all. */
  #giveBack(lane?: string): void {
    for (const mail of this.#queue.removeWaiting(lane)) this.#end(this.#backOf(mail));
  }

  /** What became of mails is written down before anything else: it is tried until the store takes it. */
  async #settle(endings: readonly Ending[]): Promise<readonly undefined[]> {
    const settlements = endings.map(({ settlement }) => settlement);
    const pauses = endings.flatMap(({ pause: each }) => each ?? []);
    for (let failures = 0; ; failures++) {
      try {
        const changed = new Set(await this.#host.store.settle(settlements, pauses));
        this.#tell(endings.filter(({ mail, isTold }) => isTold && changed.has(mail.claimed.id)));
        break;
      } catch (error) {
        if (failures >= MOST_FAILURES) throw error;
        await pause(storeWaitMs(failures), undefined);
      }
    }
    for (const { mail } of endings) this.#open.delete(mail.index);
    for (const { lane, ms } of pauses) if (ms > 0) this.#giveBack(lane);
    this.#news();
    return endings.map(() => undefined);
  }

  #tell(endings: readonly Ending[]): void {
    for (const { settlement, mail, facts } of endings) {
      const { to } = settlement;
      this.#tally.add(mail.claimed.lane, to, performance.now() - mail.since);
      if (to === 'in-doubt') warnOfDoubt([mail.claimed.id]);
      tellOfChange(mail.claimed, to, facts);
    }
    if (endings.length > 0) this.#options.onProgress?.(this.#tally.report);
  }

  /** Whose lease is not renewed is somebody else's by now: what the connection has not asked for is dropped. */
  async #renew(): Promise<void> {
    if (this.#open.size === 0) return;
    const asked = [...this.#open.values()];
    const held = asked.map(({ claimed }) => claimed);
    const renewed = new Set((await this.#host.store.renew(held, this.#leaseMs)).map(({ id }) => id));
    // Others may have been claimed meanwhile.
    const lost = new Set(asked.filter(({ claimed }) => !renewed.has(claimed.id)));
    for (const mail of this.#queue.removeWaiting()) {
      if (!lost.has(mail)) this.#queue.add(mail);
      else this.#open.delete(mail.index);
    }
  }

  /** Deletes what has been ended for long, one batch after the other: others have their turn between. */
  async #prune(signal: AbortSignal): Promise<void> {
    do {
      for (let some = 1; some > 0 && !signal.aborted; ) some = await this.#recover(this.#host.keepMs).catch(() => 0);
    } while (await pause(PRUNE_EVERY_MS, signal));
  }

  /** Resolves with how many were deleted. */
  async #recover(pruneMs?: number): Promise<number> {
    const { requeued, doubtful, pruned } = await this.#host.store.recover(pruneMs);
    const held = doubtful.filter(({ state }) => state === 'in-doubt');
    for (const { lane } of held) this.#tally.add(lane, 'in-doubt');
    if (held.length > 0) warnOfDoubt(held.map(({ id }) => id));
    for (const mail of doubtful) tellOfChange(mail, mail.state, readFacts(mail.facts));
    if (requeued.length + doubtful.length > held.length) this.#news();
    return pruned;
  }

  /** Does it again and again; a store that fails is asked again the next time. */
  async #every(ms: number, signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
    while (await pause(ms, signal)) await work().catch(() => {});
  }
}

/** How often the store is asked to take what became of mails, before they are left in doubt. */
const MOST_FAILURES = 20;
