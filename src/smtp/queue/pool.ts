import { EmailConnectionError, type EmailError, SendError } from '../../model/errors.ts';
import { backoffMs } from '../../util/backoff.ts';
import { unlessAborted } from '../../util/unless-aborted.ts';
import { locationOf, type ResolvedSmtpOptions } from '../options.ts';
import { lost } from '../protocol/refusal.ts';
import { LoginMemory } from '../session/login-memory.ts';
import { recordOf, ServerRecord } from '../session/server-record.ts';
import { openSession, type Session } from '../session/session.ts';
import { MAX_HANG_UPS } from '../session/session-end.ts';
import type { Disconnect } from '../session/wire.ts';
import { traceSubmission } from '../trace-smtp.ts';
import { Backlog } from './backlog.ts';
import { Delivery, type Submission } from './delivery.ts';
import { idleAtExit } from './exit.ts';
import { Pipeline, SLOW_MS } from './pipeline.ts';
import type { PipelineHost } from './pipeline-host.ts';
import type { PoolStats } from './pool-stats.ts';

/** Connections in a row that may end before a recipient has an outcome: all those of one mail, and the first of the next. */
const MAX_FRUITLESS = MAX_HANG_UPS + 1;
/** How long it is remembered that connections ended without an outcome. */
const FORGIVEN_AFTER_MS = 30_000;
/** How long no further connection is tried after one failed while others work. */
const PAUSE_MS = 1_000;

/**
 * The connections of one backend and the queue in front of them, first in, first out.
 *
 * Messages go to an idle connection, then to one with room in its pipeline, and to a new one while there are fewer than
 * `maxConnections`; those being opened count. Until one connection is known to work, no second one is tried.
 */
export class Pool implements PipelineHost {
  /** What is known from the logins of its connections. */
  readonly logins: LoginMemory = new LoginMemory();
  readonly #options: ResolvedSmtpOptions;
  readonly #server: ServerRecord;
  readonly #backlog = new Backlog(() => this.#schedule());
  readonly #pipelines = new Set<Pipeline>();
  /** Connections without work; the one used last is at the end. */
  readonly #idle: Pipeline[] = [];
  /** The connections that said QUIT and are not closed yet. */
  readonly #leaving = new Set<Promise<void>>();
  #connecting = 0;
  #mails = 0;
  #opened = 0;
  #pausedUntil = 0;
  /** Connections in a row that ended before any recipient had an outcome. */
  #fruitless = 0;
  #lastFruitless = -Infinity;
  /** Checks again whether a connection should be opened. */
  #waking: NodeJS.Timeout | null = null;
  /** While it runs, no connection is opened. */
  #resting: NodeJS.Timeout | null = null;
  #isScheduled = false;
  #isSweeping = false;
  #abort = new AbortController();
  readonly #changeWaiters: (() => void)[] = [];

  constructor(options: ResolvedSmtpOptions) {
    this.#options = options;
    // A socket made by the caller may lead to any server.
    this.#server = options.socket ? new ServerRecord() : recordOf(locationOf(options));
  }

  get canStart(): boolean {
    return this.#backlog.canStart;
  }

  get stats(): PoolStats {
    let inFlight = 0;
    for (const pipeline of this.#pipelines) inFlight += pipeline.inFlight;
    const idle = this.#idle.length;
    return {
      connecting: this.#connecting,
      idle,
      busy: this.#pipelines.size - idle,
      queued: this.#backlog.size,
      inFlight,
      opened: this.#opened,
    };
  }

  /** Queues a message; it is written together with all others queued in this turn of the event loop. */
  submit(submission: Submission): Delivery {
    const delivery = new Delivery(traceSubmission(this.#options, submission));
    this.#backlog.push(delivery);
    this.#schedule();
    return delivery;
  }

  /** Gives a message up, wherever it is; it is settled when this returns. */
  abort(delivery: Delivery, disconnect: Disconnect): void {
    if (delivery.isSettled) return;
    for (const pipeline of this.#pipelines) pipeline.abort(delivery, disconnect);
    this.#backlog.forget(delivery);
    delivery.settle({
      reply: null,
      error: new SendError(
        disconnect.code === 'timeout' ? 'timeout' : 'aborted',
        `${disconnect.message}, before the message was sent`,
        {
          phase: 'queue',
          retryable: disconnect.code === 'timeout',
          cause: disconnect.cause,
        },
      ),
    });
    this.#schedule(); // its connection takes no more
    // The connection that is being opened may not be needed any more.
    if (this.#hasWork) return;
    this.#abort.abort();
    if (this.#resting !== null) clearTimeout(this.#resting);
    this.#resting = null;
    this.#notifyWaiters();
  }

  /** Opens a connection if there is none. @throws {EmailConnectionError} */
  async warm(signal: AbortSignal = new AbortController().signal): Promise<void> {
    while (this.#connecting > 0) {
      const turn = new Promise<void>((resolve) => this.#changeWaiters.push(resolve));
      await unlessAborted(turn, signal).catch((cause: unknown) => {
        throw new EmailConnectionError('aborted', 'the call was aborted', { phase: 'connect', cause });
      });
    }
    if (this.#pipelines.size > 0) return;
    this.#connecting++;
    try {
      this.#park(this.#adopt(await openSession(this.#options, signal, { logins: this.logins })));
    } finally {
      this.#connecting--;
      this.#schedule(); // what was queued meanwhile
    }
  }

  /** A mail will be submitted, now or for another try: close() waits for it. */
  enter(): void {
    this.#mails++;
  }

  /** The mail will not be submitted again. */
  leave(): void {
    if (--this.#mails === 0) this.#notifyWaiters();
  }

  /** Waits until every mail is settled, then closes the connections; a reply due on one without mails is not awaited. */
  async close(): Promise<void> {
    while (this.#mails > 0 || this.#connecting > 0)
      await new Promise<void>((resolve) => this.#changeWaiters.push(resolve));
    this.#idle.length = 0;
    for (const pipeline of this.#pipelines) {
      pipeline.ref(true);
      this.#discard(pipeline);
    }
    await Promise.all(this.#leaving);
  }

  take(): Delivery | undefined {
    return this.#backlog.take();
  }

  onPumped(): void {
    if (this.#backlog.mustAsk) this.#schedule();
  }

  get hasPromptPipeline(): boolean {
    for (const pipeline of this.#pipelines) if (pipeline.isUsable && pipeline.isPrompt) return true;
    return false;
  }

  giveBack(delivery: Delivery): void {
    this.#backlog.putBack(delivery);
    this.#schedule();
  }

  onReset(): void {
    this.#schedule();
  }

  onIdle(pipeline: Pipeline): void {
    if (!this.#idle.includes(pipeline)) this.#park(pipeline);
  }

  onClosed(pipeline: Pipeline, disconnect: Disconnect): void {
    this.#pipelines.delete(pipeline);
    idleAtExit.delete(pipeline);
    const index = this.#idle.indexOf(pipeline);
    if (index >= 0) this.#idle.splice(index, 1);
    if (pipeline.madeProgress) this.#fruitless = 0;
    else if (disconnect.code !== 'aborted' && this.#hasWork)
      this.#onFruitless(disconnect, pipeline.wire.transcript.lines);
    this.#schedule();
  }

  /** A server that ends sessions before any outcome gets time; when that happens to more than one mail, all fail. */
  #onFruitless(disconnect: Disconnect, transcript: readonly string[]): void {
    if (this.#pipelines.size > 0) {
      this.#pause(); // others work
      return;
    }
    const now = performance.now();
    if (now - this.#lastFruitless > FORGIVEN_AFTER_MS) this.#fruitless = 0;
    this.#lastFruitless = now;
    if (this.#fruitless === MAX_FRUITLESS) {
      this.#backlog.settleAll({ reply: null, error: lost(disconnect, transcript, 'queue') });
      return;
    }
    this.#fruitless++;
    this.#resting ??= setTimeout(
      () => {
        this.#resting = null;
        this.#schedule();
      },
      backoffMs(this.#options.retry, this.#fruitless),
    );
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#dispatch();
    });
  }

  get #hasWork(): boolean {
    return this.#backlog.size > 0;
  }

  /** Hands the backlog out. */
  #dispatch(): void {
    while (this.canStart && this.#idle.length > 0) this.#wake(this.#idle.pop() as Pipeline); // the length is not 0
    for (const pipeline of this.#pipelines) {
      if (!this.canStart) break;
      if (pipeline.hasRoom) pipeline.pump();
    }
    if (this.#backlog.mustAsk) this.#ask();
    if (this.#mayConnect()) void this.#connect();
    if (this.#options.idleMs === 0 && !this.#hasWork) for (const each of this.#idle.splice(0)) this.#discard(each);
    this.#notifyWaiters();
  }

  /** Asks for as many mails as connections that are known to work will take soon; one that was idle for long is tested first. */
  #ask(): void {
    let room = 0;
    for (const pipeline of this.#pipelines) {
      if (pipeline.inFlight > 0 || !(pipeline.isResetting || pipeline.needsProbe)) room += pipeline.prospects;
    }
    let expected = room;
    for (let place = this.#idle.length - 1; place >= 0 && expected < this.#backlog.size; place--) {
      const pipeline = this.#idle[place] as Pipeline; // the place is below the length
      if (pipeline.isUsable && !pipeline.needsProbe) continue;
      this.#idle.splice(place, 1);
      expected += pipeline.prospects;
      this.#wake(pipeline);
    }
    this.#backlog.ask(room);
  }

  /** One at a time: wrong credentials, or a server that is down or busy, should be found out once, not five times at once. */
  #mayConnect(): boolean {
    if (this.#connecting > 0 || this.#resting !== null || !this.#hasWork) return false;
    if (this.#pipelines.size >= this.#options.maxConnections) return false;
    let prospects = 0;
    for (const pipeline of this.#pipelines) {
      if (pipeline.isResetting && pipeline.inFlight === 0) return false;
      prospects += pipeline.prospects;
    }
    // A window that is about to grow takes the waiting mails before a new connection is ready, unless the server is slow.
    if (this.#backlog.size <= prospects) {
      this.#wakeIn(SLOW_MS);
      return false;
    }
    const pauseMs = this.#pausedUntil - performance.now();
    if (this.#pipelines.size === 0 || pauseMs <= 0) return true;
    this.#wakeIn(pauseMs); // the last check may have been too early
    return false;
  }

  #wake(pipeline: Pipeline): void {
    idleAtExit.delete(pipeline);
    if (pipeline.isUsable) pipeline.wake();
    else this.#discard(pipeline);
  }

  #discard(pipeline: Pipeline): void {
    idleAtExit.delete(pipeline);
    this.#pipelines.delete(pipeline);
    const leaving = pipeline.quit().then(() => {
      this.#leaving.delete(leaving);
    });
    this.#leaving.add(leaving);
  }

  async #connect(): Promise<void> {
    this.#connecting++;
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    try {
      const session = await openSession(this.#options, signal, { logins: this.logins });
      this.#connecting--;
      this.#adopt(session).wake();
      this.#schedule();
    } catch (error) {
      this.#connecting--;
      // It was not needed any more; mails queued since then get a connection of their own.
      if (signal.aborted) this.#schedule();
      else this.#onConnectFailed(error);
    }
  }

  /** Without any other connection, none of the waiting mails can be sent. */
  #onConnectFailed(error: unknown): void {
    this.#pause();
    if (this.#pipelines.size === 0) {
      this.#backlog.settleAll({ reply: null, error: asConnectionError(error) });
    }
    this.#notifyWaiters();
  }

  #pause(): void {
    this.#pausedUntil = performance.now() + PAUSE_MS;
    this.#wakeIn(PAUSE_MS);
  }

  #wakeIn(ms: number): void {
    this.#waking ??= setTimeout(() => {
      this.#waking = null;
      this.#schedule();
    }, ms).unref();
  }

  #adopt(session: Session): Pipeline {
    this.#opened++;
    const pipeline = new Pipeline(session, this.#options, this.#server, this);
    this.#pipelines.add(pipeline);
    return pipeline;
  }

  #park(pipeline: Pipeline): void {
    // Mails that somebody is asked for will need it.
    const isWanted = this.#options.idleMs > 0 || this.#hasWork;
    if (!pipeline.isUsable || !isWanted) {
      this.#discard(pipeline);
      this.#schedule();
      return;
    }
    pipeline.idleSince = performance.now();
    pipeline.ref(false);
    idleAtExit.add(pipeline);
    this.#idle.push(pipeline);
    this.#sweepLater();
    this.#notifyWaiters();
  }

  /** One timer for all idle connections. */
  #sweepLater(): void {
    const [oldest] = this.#idle;
    const { idleMs } = this.#options;
    if (this.#isSweeping || !oldest || idleMs === 0) return;
    this.#isSweeping = true;
    const age = performance.now() - oldest.idleSince;
    setTimeout(
      () => {
        this.#isSweeping = false;
        const limit = performance.now() - idleMs;
        for (const pipeline of this.#idle.filter(({ idleSince }) => idleSince <= limit)) {
          this.#idle.splice(this.#idle.indexOf(pipeline), 1);
          this.#discard(pipeline);
        }
        this.#sweepLater();
      },
      Math.max(1, Math.ceil(idleMs - age)),
    ).unref();
  }

  #notifyWaiters(): void {
    if (this.#changeWaiters.length > 0) for (const resolve of this.#changeWaiters.splice(0)) resolve();
  }
}

function asConnectionError(error: unknown): EmailError {
  if (error instanceof EmailConnectionError) return error;
  return new EmailConnectionError('connection', 'no session with the server', { cause: error });
}
