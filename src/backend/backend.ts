/// <reference lib="esnext.disposable" preserve="true" />
import { type AddressInput, isMailboxInput } from '../model/address.ts';
import { thrownHere } from '../model/error-copies.ts';
import { ConfigurationError } from '../model/errors.ts';
import type { Feature } from '../model/features.ts';
import type { MessageResult, SendStatus } from '../model/status.ts';
import { type AnyOptionTable, checkOptions, type OptionSpec, type OptionTable } from '../options/option-table.ts';
import type { RetryOptions } from '../util/backoff.ts';
import { breathe } from '../util/breathe.ts';
import { processState } from '../util/process-state.ts';
import type { AccountRates } from '../util/rates.ts';
import { isWorkerd } from '../util/runtime.ts';
import { beginBlockingDelivery, blockingDelivery } from './blocking/delivery.ts';
import type { CallHost } from './call/call.ts';
import type { CallOptions } from './call/call-options.ts';
import { conclude } from './call/conclusion.ts';
import { FirstStream } from './call/first-stream.ts';
import { Gate } from './call/gate.ts';
import { type CallEngine, callEngine } from './call/late-engine.ts';
import { MessageSource, type Messages } from './call/message-source.ts';
import type { MessageInput } from './call/read-input.ts';
import { sendWhenAdmitted } from './call/send-call.ts';
import { SyncCall } from './call/sync-call.ts';
import { isSendTraced, traceSend, traceSendSync } from './call/trace-send.ts';
import { type BackendStats, Traffic } from './call/traffic.ts';
import type { DeliverOne } from './deliver-each.ts';
import type { DeliveryFilter } from './filter.ts';
import { type DeliveryContext, type DeliveryResult, failedDelivery, type Job, toEmailError } from './job.ts';
import type { Inside } from './part.ts';
import { stagingFilter } from './staging/staging-rules.ts';

export type { BackendStats } from './call/traffic.ts';

/** Options that every backend has. */
export interface BackendOptions {
  /** The sender of messages that name none. */
  readonly defaultFrom?: AddressInput;
  /** What becomes of tags, metadata, tracking, priority and idempotency keys where they cannot be carried; default `ignore`, listed in `results[i].ignored`. */
  readonly onUnsupported?: 'ignore' | 'error';
  /**
   * How long a call may take, in milliseconds, from its start, waiting for its turn included; no limit by default. When it has
   * passed, mails that were not handed over are `failed` and those that were, unanswered, `unknown`, both with the code `timeout`.
   */
  readonly deadlineMs?: number;
}

/** The table entries of {@link BackendOptions}; every backend's table starts with them. */
export const BACKEND_OPTIONS: { readonly [K in keyof BackendOptions]-?: OptionSpec } = {
  defaultFrom: {
    type: 'custom',
    expected: "an address such as 'Shop <noreply@example.com>'",
    check: isMailboxInput,
    parse: (text) => text,
    variable: { name: 'AMSDAL_EMAIL_FROM', example: 'Shop <noreply@example.com>' },
  },
  onUnsupported: { type: 'enum', values: ['ignore', 'error'] },
  deadlineMs: { type: 'integer', min: 1, max: 2_147_483_647 },
};

/** The table entry of `retry`, for every backend that tries again. */
export const RETRY_OPTION: OptionSpec = {
  type: 'object',
  fields: {
    attempts: { type: 'integer', min: 1, max: 1_000 },
    baseMs: { type: 'integer', min: 1, max: 3_600_000 },
    maxMs: { type: 'integer', min: 1, max: 3_600_000 },
  } satisfies OptionTable<RetryOptions>,
};

/** The settings of one call. */
export interface SendOptions extends CallOptions {
  /** Keeps failures of delivery in the status instead of throwing them; faults of configuration and of messages are thrown all the same. */
  readonly failSilently?: boolean;
}

/** The settings of one blocking call: it cannot be stopped half-way, since the thread that would stop it is blocked. */
export type SyncSendOptions = Omit<SendOptions, 'signal' | 'onProgress'>;

/** What {@link EmailBackend.verify} found out. */
export interface Verification {
  /** The backend's name. */
  readonly backend: string;
  /** Facts worth showing, such as the server's name and the TLS version; never a secret. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

/** Further schemes of a backend's URLs, each with the options that it stands for: `{ smtps: { useSsl: true } }`. */
export type UrlSchemes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const NO_OPTIONS: Readonly<Record<string, never>> = /* @__PURE__ */ Object.freeze({});

/**
 * A way to send mail. Subclasses say what they can do (`features`) and implement `deliverOne`; everything else, from
 * validation to the final status, is done here, once.
 */
export abstract class EmailBackend implements AsyncDisposable {
  /** False for a class that gives mails to nobody, as one that prints them; the command line then says so. */
  static readonly delivers: boolean = true;
  /** What it does, for the command line to tell: completes 'the acme backend ...', as `sends over HTTPS to api.acme.example`. */
  static readonly about: string | null = null;
  /** Schemes of its URLs besides the name that it is registered under; none by default. */
  static readonly urlSchemes: UrlSchemes = {};

  /** The backend's name in messages and statistics. */
  abstract readonly name: string;
  /** What it can do beyond plain delivery. */
  protected abstract readonly features: ReadonlySet<Feature>;
  /** How many calls of `sendMessages` run at once, the others wait in order; enough to keep every connection busy. */
  protected readonly maxActiveCalls: number = 128;
  /** How many messages of one call `deliverOne` delivers at once; default 1. */
  protected readonly concurrency: number = 1;
  /** Whether `deliver` itself asks each job's {@link Job.beforeCommit}, as late as it can; else whoever gives jobs asks before that. */
  protected readonly awaitsCommit: boolean = false;
  /** How long its provider remembers idempotency keys, in milliseconds; null when it has none. */
  protected readonly idempotencyMs: number | null = null;

  readonly #host: CallHost;
  /** The one that was put before the others first. */
  readonly #filters: DeliveryFilter[] = [];
  readonly #traffic = new Traffic();
  #opened = 0;

  /**
   * @param options All options of the subclass, which are checked against its static `optionTable` when it has one.
   * @throws {ConfigurationError} `unknown-option` or `invalid-option`; `invalid-backend` for a subclass that goes past the
   *   staging guard while that is set.
   */
  constructor(options: BackendOptions = {}) {
    const { optionTable, name } = new.target as { readonly name: string; readonly optionTable?: AnyOptionTable };
    if (optionTable) checkOptions(name, optionTable, options);
    askingGuard.set(this, goesPastFilters);
    if (stagingFilter() !== null) insistOnFilters(this);
    this.#host = this.#makeHost(options);
  }

  /**
   * Delivers one message; what it throws is that message's failure.
   *
   * @throws {ConfigurationError} `invalid-backend` for a subclass that implements neither this nor `deliver`.
   */
  protected deliverOne(_job: Job): DeliveryResult | Promise<DeliveryResult> {
    const text = `${this.constructor.name} implements neither deliverOne nor deliver`;
    throw new ConfigurationError('invalid-backend', text);
  }

  /**
   * Delivers `jobs`, answering each exactly once, in order of completion; by default with `deliverOne`, `concurrency` at once.
   * Override it to send several messages in one request.
   *
   * A message's own fault is a result with its error. A throw ends the call: jobs that were taken and not answered become
   * `failed`, or `unknown` when the error's outcome is, and no further ones are taken.
   */
  protected deliver(jobs: AsyncIterable<Job>, _context: DeliveryContext): AsyncIterable<DeliveryResult> {
    const deliverOne = (job: Job) => this.deliverOne(job);
    return callEngine.loaded?.deliverEach(jobs, deliverOne, this.concurrency) ?? this.#deliverFirst(jobs, deliverOne);
  }

  /** For who delivers before any call was made. */
  async *#deliverFirst(jobs: AsyncIterable<Job>, deliverOne: DeliverOne): AsyncIterable<DeliveryResult> {
    const { deliverEach } = await callEngine.load();
    yield* deliverEach(jobs, deliverOne, this.concurrency);
  }

  /**
   * Puts a filter between `backend` and whatever it is given to deliver, for good; before those that are there already.
   *
   * @throws {ConfigurationError} `invalid-backend` for an object that does not extend EmailBackend, or that overrides
   *   `sendMessages`, `sendMessagesSync` or `stream`, and so may send what no filter sees.
   */
  static filter(backend: EmailBackend, filter: DeliveryFilter): void {
    const { constructor: made }: object = backend;
    if (#filters in backend) {
      insistOnFilters(backend);
      backend.#filters.unshift(filter);
      return;
    }
    // One of another copy of this package: the base class it has there knows where its filters are.
    const put: unknown = Reflect.get(made, 'filter');
    if (typeof put !== 'function' || put === EmailBackend.filter) {
      const text = 'a connection that does not extend EmailBackend cannot be guarded';
      throw new ConfigurationError('invalid-backend', text);
    }
    put.call(made, backend, filter);
  }

  /**
   * What a {@link Part} is made of.
   *
   * @internal
   * @throws {ConfigurationError} `invalid-backend` for what does not extend EmailBackend, or goes past the staging guard.
   */
  static inside(connection: EmailBackend): Inside {
    if (!(typeof connection === 'object' && connection !== null && #host in connection)) {
      throw new ConfigurationError(
        'invalid-backend',
        'a wrapper is made of connections: give what getConnection makes, or a class that extends EmailBackend makes',
      );
    }
    insistOnFilters(connection);
    return {
      host: connection.#host,
      filters: connection.#filters,
      deliverSync: (jobs) => connection.deliverSync(jobs),
      isOpen: () => connection.#opened > 0,
    };
  }

  /** Delivers while the thread waits; by default in a worker thread, over a connection made there like this one. */
  protected deliverSync(jobs: readonly Job[]): readonly DeliveryResult[] {
    const { name } = this;
    const fail = (job: Job, error: unknown) => failedDelivery(job, toEmailError(error));
    return beginBlockingDelivery(this, name).deliver(name, jobs, fail);
  }

  /** Connects; called by `open`, must be harmless when connected. */
  protected connect(_options: { readonly signal?: AbortSignal }): Promise<void> {
    return Promise.resolve();
  }

  /** What its account may send, asked anew; null where that is not known. All workers of an outbox keep to it together. */
  protected accountRates(): Promise<AccountRates | null> {
    return Promise.resolve(null);
  }

  /** Disconnects; called by `close` when nothing is under way. */
  protected disconnect(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Sends messages and tells what happened to every recipient.
   *
   * A plain object is accepted wherever an EmailMessage is. One message's fault never stops the others.
   *
   * @throws {EmailConnectionError | SendError} when no recipient of the whole call was sent or queued; `error.status` carries the status.
   * @throws {MessageError} `invalid-message`, `unsupported-feature` when nothing was sent for that reason.
   * @throws {ConfigurationError} when nothing could be sent as the backend is configured.
   */
  sendMessages(messages: Messages, options: SendOptions = NO_OPTIONS): Promise<SendStatus> {
    if (!isSendTraced()) return this.#send(messages, options);
    return traceSend(this.name, messages, () => this.#send(messages, options));
  }

  #send(messages: Messages, options: SendOptions): Promise<SendStatus> {
    try {
      const source = new MessageSource(this.#host, messages, options.failSilently === true);
      if (callEngine.loaded === null) this.#loadEngine();
      return sendWhenAdmitted(this.#host, source, options);
    } catch (error) {
      return Promise.reject(thrownHere(error));
    }
  }

  /** The first calls wait at the gate, so that thousands of them enter one after another, as others do. */
  #loadEngine(): void {
    const { gate } = this.#host;
    if (gate.isHeld || isWorkerd()) return; // there, a call does not wait for what another request does
    void this.#traffic.during(() => gate.holdDuring(callEngine.load()));
  }

  /**
   * Sends messages and yields each one's result as it is known, reading on only as fast as results are taken.
   *
   * Never throws for a message's fault: its result has the error.
   */
  stream(messages: Messages, options: CallOptions = NO_OPTIONS): AsyncIterableIterator<MessageResult> {
    const source = new MessageSource(this.#host, messages, false);
    const begin = ({ Call, traceStream }: CallEngine): AsyncIterableIterator<MessageResult> => {
      const results = new Call(this.#host, source, options);
      return isSendTraced() ? traceStream(this.name, messages, results) : results;
    };
    const { loaded } = callEngine;
    return loaded === null ? new FirstStream(this.#traffic, source, begin) : begin(loaded);
  }

  /** {@link sendMessages}, blocking the thread until it is done; for scripts, migrations and command lines. */
  sendMessagesSync(messages: Iterable<MessageInput>, options: SyncSendOptions = {}): SendStatus {
    try {
      if (!isSendTraced()) return this.#sendSync(messages, options);
      return traceSendSync(this.name, messages, () => this.#sendSync(messages, options));
    } catch (error) {
      throw thrownHere(error);
    }
  }

  #sendSync(messages: Iterable<MessageInput>, options: SyncSendOptions): SendStatus {
    const call = new SyncCall(this.#host, this.#host.filters(), messages, options.failSilently === true);
    const results = call.settle(call.jobs.length === 0 ? [] : this.deliverSync(call.jobs));
    for (const { recipients } of results) this.#traffic.count(recipients.values());
    return conclude(results, options.failSilently === true, call.callError);
  }

  /** Connects now rather than at the first send; each `open` is undone by one `close`. */
  async open(options: { readonly signal?: AbortSignal } = {}): Promise<this> {
    try {
      await callEngine.load(); // before there is a connection that a failure would leave open
      await this.connect(options);
    } catch (error) {
      throw thrownHere(error);
    }
    this.#opened++;
    return this;
  }

  /** Waits for what is under way, then disconnects; it can be used again, and connects anew then. */
  async close(): Promise<void> {
    if (this.#opened > 1) {
      this.#opened--;
      return;
    }
    this.#opened = 0;
    await this.#traffic.idle();
    await this.disconnect();
  }

  /** Closes what blocking calls keep open in their worker thread; `close` concerns this thread. */
  closeSync(): void {
    blockingDelivery(this)?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Checks that mail could be sent, without sending any: connects and logs in.
   *
   * @throws {EmailConnectionError | ConfigurationError} when it could not.
   */
  async verify(options: { readonly signal?: AbortSignal } = {}): Promise<Verification> {
    await this.open(options);
    await this.close();
    return { backend: this.name, details: {} };
  }

  /** What this connection has done so far. */
  stats(): BackendStats {
    return this.#traffic.stats;
  }

  #makeHost(options: BackendOptions): CallHost {
    const backend = this;
    return {
      options,
      gate: new Gate(() => this.maxActiveCalls),
      traffic: this.#traffic,
      breathe,
      // A subclass sets its name and features after this constructor has run: they are read when a call needs them.
      get name() {
        return backend.name;
      },
      get features() {
        return backend.features;
      },
      get awaitsCommit() {
        return backend.awaitsCommit;
      },
      get idempotencyMs() {
        return backend.idempotencyMs;
      },
      accountRates: () => this.accountRates(),
      filters: () => {
        const staging = stagingFilter();
        return staging === null ? this.#filters : [staging, ...this.#filters];
      },
      deliver: (jobs, context) => this.deliver(jobs, context),
    };
  }
}

/**
 * Backends of any copy of this package that shares its state, and so has the same staging guard; each with that copy's
 * {@link goesPastFilters}, as only it knows the methods that ask.
 */
const askingGuard = /* @__PURE__ */ processState(
  'backends that ask the staging guard',
  () => new WeakMap<EmailBackend, (backend: EmailBackend) => boolean>(),
);

/** Whether a connection that another copy of this package made asks the staging guard at every call. */
export function asksGuard(backend: EmailBackend): boolean {
  return askingGuard.get(backend)?.(backend) === false;
}

const SENDING = ['sendMessages', 'sendMessagesSync', 'stream'] as const;

/** Whether a backend has a way of its own from its callers to the wire. */
function goesPastFilters(backend: EmailBackend): boolean {
  return SENDING.some((method) => backend[method] !== EmailBackend.prototype[method]);
}

/** @throws {ConfigurationError} `invalid-backend` for a backend that may send what no filter sees. */
export function insistOnFilters(backend: EmailBackend): void {
  if (!goesPastFilters(backend)) return;
  throw new ConfigurationError(
    'invalid-backend',
    `${backend.constructor.name} overrides sendMessages, sendMessagesSync or stream, so that mail could go past the staging guard: override deliver instead`,
  );
}
