import { type BackendStats, EmailBackend, type UrlSchemes, type Verification } from '../backend/backend.ts';
import type { DeliveryContext, DeliveryResult, Job } from '../backend/job.ts';
import { readDkimKeys } from '../mime/compose/dkim-keys.ts';
import { thrownHere } from '../model/error-copies.ts';
import type { Feature } from '../model/features.ts';
import { loaded } from '../options/late-module.ts';
import type { AnyOptionTable } from '../options/option-table.ts';
import { type ResolvedSmtpOptions, resolveSmtpOptions } from '../smtp/options.ts';
import type { PoolStats } from '../smtp/queue/pool-stats.ts';
import { isWorkerd } from '../util/runtime.ts';
import type { SmtpEngine, WrittenHeaders } from './smtp/engine.ts';
import { SMTP_OPTIONS, type SmtpBackendOptions } from './smtp/options.ts';

export type { DkimOptions } from '../mime/compose/dkim-keys.ts';
export type { AccessToken } from '../net/access-token.ts';
export type { OAuth2ClientOptions, OAuth2Options, OAuth2RefreshOptions } from '../net/oauth-options.ts';
export type {
  AuthMethod,
  SmtpOptions,
  SmtpSecurity,
  SmtpSocket,
  SmtpTarget,
  SmtpTimeouts,
  SmtpTlsOptions,
} from '../smtp/options.ts';
export type { PoolStats } from '../smtp/queue/pool-stats.ts';
export { SMTP_OPTIONS, type SmtpBackendOptions } from './smtp/options.ts';

/** What an {@link SmtpBackend} has done so far, and its connections. */
export interface SmtpStats extends BackendStats {
  /** Of this backend's pool. */
  readonly connections: PoolStats;
}

const NO_CONNECTIONS: PoolStats = /* @__PURE__ */ Object.freeze({
  connecting: 0,
  idle: 0,
  busy: 0,
  queued: 0,
  inFlight: 0,
  opened: 0,
});

const FEATURES: readonly Feature[] = ['priority', 'dsn', 'requireTls', 'nonAsciiLocalPart', 'envelopeSender'];

/**
 * Sends over SMTP, or LMTP, to any server.
 *
 * Connections are kept between calls and shared by all calls of this backend; see {@link SmtpBackendOptions}.
 */
export class SmtpBackend extends EmailBackend {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = SMTP_OPTIONS;
  static override readonly urlSchemes: UrlSchemes = { smtps: { useSsl: true } };

  override readonly name = 'smtp';
  protected override readonly features: ReadonlySet<Feature>;
  protected override readonly maxActiveCalls: number;
  protected override readonly awaitsCommit = true;
  readonly #options: ResolvedSmtpOptions;
  readonly #headers: WrittenHeaders;
  #engine: SmtpEngine | null = null;

  /** @throws {ConfigurationError} naming the option that is wrong. */
  constructor(options: SmtpBackendOptions = {}) {
    super(options);
    this.#options = resolveSmtpOptions(options);
    const { tagHeaders = false, dkim } = options;
    this.#headers = { tagHeaders, dkim: dkim ? readDkimKeys(dkim) : null };
    this.features = new Set(tagHeaders ? [...FEATURES, 'tags', 'metadata'] : FEATURES);
    // Calls of one request must not wait for those of another.
    this.maxActiveCalls = isWorkerd() ? Infinity : 2 * this.#options.maxConnections * this.#options.maxInFlight;
  }

  /**
   * Opens a connection of its own, with TLS and login as for mail, and closes it.
   *
   * @throws {EmailConnectionError} with the phase that failed.
   */
  override async verify(options: { readonly signal?: AbortSignal } = {}): Promise<Verification> {
    try {
      const engine = await this.#load();
      return { backend: this.name, details: await engine.verify(options.signal) };
    } catch (error) {
      throw thrownHere(error);
    }
  }

  override stats(): SmtpStats {
    return { ...super.stats(), connections: this.#engine?.pool.stats ?? NO_CONNECTIONS };
  }

  protected override deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult> {
    return this.#engine ? this.#engine.deliver(jobs, context) : this.#deliverOnceLoaded(jobs, context);
  }

  protected override async connect(options: { readonly signal?: AbortSignal }): Promise<void> {
    if (!isWorkerd()) await (await this.#load()).pool.warm(options.signal);
  }

  protected override async disconnect(): Promise<void> {
    await this.#engine?.pool.close();
  }

  async *#deliverOnceLoaded(
    jobs: AsyncIterable<Job>,
    context: DeliveryContext,
  ): AsyncGenerator<DeliveryResult, void, undefined> {
    const engine = await this.#load();
    try {
      yield* engine.deliver(jobs, context);
    } finally {
      if (engine !== this.#engine) await engine.pool.close();
    }
  }

  /**
   * Composer and sessions are loaded with the first connection: `import 'amsdal-mail'` is fast for those who never send. Where
   * sockets belong to a request, every call has a pool of its own, and closes it.
   */
  async #load(): Promise<SmtpEngine> {
    const { createEngine } = await loaded(import('./smtp/engine.ts'));
    if (isWorkerd()) return createEngine(this.#options, this.#headers);
    this.#engine ??= createEngine(this.#options, this.#headers);
    return this.#engine;
  }
}
