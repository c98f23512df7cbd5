import { EmailBackend } from '../backend.ts';
import type { DeliveryContext, DeliveryResult, Job } from '../delivery.ts';
import type { Feature } from '../features.ts';
import type { ComposeOptions } from '../mime/composition.ts';
import { createDkimSigner } from '../mime/dkim.ts';
import type { AnyOptionTable } from '../options.ts';
import { type ResolvedSmtpOptions, resolveSmtpOptions } from '../smtp/options.ts';
import { Pool } from '../smtp/pool.ts';
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
export { SMTP_OPTIONS, type SmtpBackendOptions } from './smtp/options.ts';

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
    this.#options = resolveSmtpOptions(options);
    const { tagHeaders = false, dkim } = options;
    this.#compose = { tagHeaders, ...(dkim && { dkim: createDkimSigner(dkim) }) };
    this.features = new Set(tagHeaders ? [...FEATURES, 'tags', 'metadata'] : FEATURES);
    this.maxActiveCalls = 2 * this.#options.maxConnections * this.#options.maxInFlight;
    this.#pool = new Pool(this.#options);
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
