import { type BackendStats, EmailBackend, type Verification } from '../backend/backend.ts';
import type { DeliveryResult, Job } from '../backend/job.ts';
import { thrownHere } from '../model/error-copies.ts';
import type { Feature } from '../model/features.ts';
import { loaded } from '../options/late-module.ts';
import type { AnyOptionTable } from '../options/option-table.ts';
import type { AccountRates } from '../util/rates.ts';
import type { SesEngine } from './ses/engine.ts';
import { type ResolvedSesOptions, resolveSesOptions, SES_OPTIONS, type SesOptions } from './ses/options.ts';
import type { SesQuota } from './ses/quota.ts';

export { type DecodedEmailTags, decodeEmailTags } from './ses/email-tags.ts';
export type { SesCredentials, SesListManagement, SesOptions } from './ses/options.ts';
export type { SesQuota } from './ses/quota.ts';
export type { SesClientLike } from './ses/sdk.ts';

/** Mails of one call that are at hand beyond those under way, so that none of the requests at once waits for the next mail. */
const MAILS_AHEAD = 2;

/** What an SES connection has done so far. */
export interface SesStats extends BackendStats {
  /** What the account may send, as SES said when it was last asked; null before, and when it may not ask. */
  readonly quota: SesQuota | null;
  /**
   * How many recipients may go now and within 24 hours, as far as that is known: what SES said last, less what this process has
   * sent since.
   */
  readonly left: { readonly now?: number; readonly day?: number };
}

/**
 * Sends through Amazon SES (API v2, https://docs.aws.amazon.com/ses/latest/APIReference-V2/Welcome.html).
 *
 * `sent` means that SES took the mail; viruses and template variables that are missing are told by its events later.
 * `messageId` is that of SES, which replaces the Message-ID and Date headers by its own. A mail to over 50 recipients goes
 * in several requests, and has several ids. Mails made from templates show the recipients of their own request only.
 */
export class SesBackend extends EmailBackend {
  /** What {@link SesOptions} may hold, for getConnection, URLs and the environment. */
  static readonly optionTable: AnyOptionTable = SES_OPTIONS;

  override readonly name = 'ses';
  protected override readonly features: ReadonlySet<Feature> = new Set<Feature>([
    ...(['tags', 'metadata', 'trackOpens', 'trackClicks', 'priority'] as const),
    ...(['templateId', 'mergeData', 'mergeGlobalData', 'envelopeSender'] as const),
  ]);
  protected override readonly concurrency: number;
  protected override readonly awaitsCommit = true;
  readonly #options: ResolvedSesOptions;
  #engine: SesEngine | null = null;

  /** @throws {ConfigurationError} `unknown-option`, `invalid-option`; `missing-option` for half a key pair. */
  constructor(options: SesOptions = {}) {
    super(options);
    this.#options = resolveSesOptions(options);
    this.concurrency = this.#options.maxConnections + MAILS_AHEAD;
  }

  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    return (this.#engine ?? (await this.#load())).deliverOne(job);
  }

  protected override async connect(): Promise<void> {
    (await this.#load()).connect();
  }

  protected override async disconnect(): Promise<void> {
    this.#engine?.close();
  }

  /**
   * Checks credentials, region and account, without sending; `details` has the quota, and whether the account is in the sandbox.
   *
   * @throws {EmailConnectionError} `auth` without the permission `ses:GetAccount` too.
   * @throws {SendError} `account` when SES has stopped the account from sending.
   */
  override async verify(options: { readonly signal?: AbortSignal } = {}): Promise<Verification> {
    await this.open();
    try {
      const engine = await this.#load();
      return { backend: this.name, details: await engine.verify(options.signal) };
    } catch (error) {
      throw thrownHere(error);
    } finally {
      await this.close();
    }
  }

  protected override async accountRates(): Promise<AccountRates | null> {
    return (await this.#load()).accountRates();
  }

  override stats(): SesStats {
    return { ...super.stats(), quota: this.#engine?.quota ?? null, left: this.#engine?.left ?? {} };
  }

  async #load(): Promise<SesEngine> {
    const { SesEngine } = await loaded(import('./ses/engine.ts'));
    this.#engine ??= new SesEngine(this.#options);
    return this.#engine;
  }
}
