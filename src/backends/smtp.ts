import { type BackendStats, EmailBackend, type Verification } from '../backend.ts';
import type { DeliveryContext, DeliveryResult, Job } from '../delivery.ts';
import type { Feature } from '../features.ts';
import type { ComposeOptions } from '../mime/composition.ts';
import { createDkimSigner } from '../mime/dkim.ts';
import type { AnyOptionTable } from '../options.ts';
import { loginHintFor } from '../presets.ts';
import { type ResolvedSmtpOptions, resolveSmtpOptions } from '../smtp/options.ts';
import { Pool } from '../smtp/pool.ts';
import type { PoolStats } from '../smtp/pool-stats.ts';
import { openSession } from '../smtp/session.ts';
import { SmtpCall } from './smtp/call.ts';
import { SMTP_OPTIONS, type SmtpBackendOptions } from './smtp/options.ts';

export type { DkimOptions } from '../mime/dkim.ts';
export type {
  AuthMethod,
  SmtpOptions,
  SmtpRetry,
  SmtpSecurity,
  SmtpSocket,
  SmtpTarget,
  SmtpTimeouts,
  SmtpTlsOptions,
} from '../smtp/options.ts';
export type { PoolStats } from '../smtp/pool-stats.ts';
export { SMTP_OPTIONS, type SmtpBackendOptions } from './smtp/options.ts';

/** What an {@link SmtpBackend} has done so far, and its connections. */
export interface SmtpStats extends BackendStats {
  readonly connections: PoolStats;
}

const FEATURES: readonly Feature[] = ['priority', 'dsn', 'requireTls', 'nonAsciiLocalPart', 'envelopeSender'];

/**
 * Sends over SMTP, or LMTP, to any server.
 *
 * Connections are kept between calls and shared by all calls of this backend; see {@link SmtpBackendOptions}.
 */
export class SmtpBackend extends EmailBackend {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = SMTP_OPTIONS;

  override readonly name = 'smtp';
  protected override readonly features: ReadonlySet<Feature>;
  protected override readonly maxActiveCalls: number;
  readonly #options: ResolvedSmtpOptions;
  readonly #compose: ComposeOptions;
  readonly #pool: Pool;

  /** @throws {ConfigurationError} naming the option that is wrong. */
  constructor(options: SmtpBackendOptions = {}) {
    super(options);
    this.#options = resolveSmtpOptions(options, loginHintFor(options.host ?? ''));
    const { tagHeaders = false, dkim } = options;
    this.#compose = { tagHeaders, ...(dkim && { dkim: createDkimSigner(dkim) }) };
    this.features = new Set(tagHeaders ? [...FEATURES, 'tags', 'metadata'] : FEATURES);
    this.maxActiveCalls = 2 * this.#options.maxConnections * this.#options.maxInFlight;
    this.#pool = new Pool(this.#options);
  }

  /**
   * Connects anew, with TLS and login as for mail, and hangs up.
   *
   * @throws {EmailConnectionError} with the phase that failed.
   */
  override async verify(options: { readonly signal?: AbortSignal } = {}): Promise<Verification> {
    const session = await openSession(this.#options, options.signal ?? new AbortController().signal);
    session.wire.hangUp();
    const { server, tls, authMethod, capabilities } = session;
    const { pipelining, chunking, maxSize } = capabilities;
    return { backend: this.name, details: { server, tls, authMethod, pipelining, chunking, maxSize } };
  }

  override stats(): SmtpStats {
    return { ...super.stats(), connections: this.#pool.stats };
  }

  protected override deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult> {
    return new SmtpCall(this.#pool, this.#options, this.#compose, jobs, context);
  }

  protected override connect(options: { readonly signal?: AbortSignal }): Promise<void> {
    return this.#pool.warm(options.signal ?? new AbortController().signal);
  }

  protected override disconnect(): Promise<void> {
    return this.#pool.close();
  }
}
