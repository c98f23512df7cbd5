import { type BackendStats, EmailBackend, type Verification } from '../backend.ts';
import { deliverEach } from '../deliver-each.ts';
import { type DeliveryResult, type Job, whileReading } from '../delivery.ts';
import { MessageError, SendError, UnsupportedFeatureError } from '../errors.ts';
import type { Feature } from '../features.ts';
import type { AnyOptionTable } from '../options.ts';
import { thrownHere } from '../util/error-copies.ts';
import { accountOf, type SesAccount, type SesQuota } from './ses/account.ts';
import { sendInBulk } from './ses/bulk.ts';
import { templateContent } from './ses/content.ts';
import { Courier } from './ses/courier.ts';
import { mergeEntries } from './ses/merge.ts';
import { type ResolvedSesOptions, resolveSesOptions, SES_OPTIONS, type SesOptions } from './ses/options.ts';
import { bulkRequest, type RequestParts } from './ses/request.ts';
import { SesSession } from './ses/sdk.ts';
import { encodeEmailTags } from './ses/tags.ts';
import { Tally } from './ses/tally.ts';
import { sendWhole } from './ses/whole.ts';

export type { SesQuota } from './ses/account.ts';
export type { SesCredentials, SesListManagement, SesOptions } from './ses/options.ts';
export type { SesClientLike } from './ses/sdk.ts';
export { type DecodedEmailTags, decodeEmailTags } from './ses/tags.ts';

/** What an SES connection has done so far. */
export interface SesStats extends BackendStats {
  /** What the account may send, as SES said when it was last asked; null before, and when it may not ask. */
  readonly quota: SesQuota | null;
}

const TRACKING_SINCE = '3.1125.0';
const NEEDS_SDK = `needs @aws-sdk/client-sesv2 ${TRACKING_SINCE}`;

/**
 * Sends through Amazon SES (API v2) with the AWS SDK, which is loaded at the first use.
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
  readonly #options: ResolvedSesOptions;
  readonly #account: SesAccount;
  #line: Promise<Line> | null = null;

  /** @throws {ConfigurationError} `unknown-option`, `invalid-option`; `missing-option` for half a key pair. */
  constructor(options: SesOptions = {}) {
    super(options);
    this.#options = resolveSesOptions(options);
    this.#account = accountOf(this.#options);
  }

  protected override deliver(jobs: AsyncIterable<Job>): AsyncIterable<DeliveryResult> {
    return deliverEach(jobs, (job) => this.#deliverOne(job), this.#options.maxConnections);
  }

  protected override async connect(): Promise<void> {
    await this.#open();
  }

  protected override async disconnect(): Promise<void> {
    const line = this.#line;
    this.#line = null;
    if (line !== null) (await line).session.close();
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
      const { courier, session } = await this.#open();
      const { SendingEnabled, EnforcementStatus, ProductionAccessEnabled } = await courier.askAccount(options.signal);
      const { region } = this.#options;
      if (SendingEnabled === false || EnforcementStatus === 'SHUTDOWN') {
        const text = `SES has stopped this account in ${region} from sending: see the account dashboard of the SES console`;
        throw new SendError('account', text, { phase: 'request' });
      }
      const details = {
        region: this.#options.client ? null : region,
        isInSandbox: ProductionAccessEnabled !== true,
        enforcementStatus: EnforcementStatus ?? null,
        ...this.#account.quota,
        tracking: session.knows('SendEmail', TRACKING) || NEEDS_SDK,
      };
      return { backend: this.name, details };
    } catch (error) {
      throw thrownHere(error);
    } finally {
      await this.close();
    }
  }

  override stats(): SesStats {
    return { ...super.stats(), quota: this.#account.quota };
  }

  /** @throws {ConfigurationError} `missing-dependency` */
  #open(): Promise<Line> {
    this.#line ??= SesSession.open(this.#options).then(
      (session) => ({ session, courier: new Courier(session, this.#account, this.#options) }),
      (error: unknown) => {
        this.#line = null; // it may be installed by the next time
        throw error;
      },
    );
    return this.#line;
  }

  async #deliverOne(job: Job): Promise<DeliveryResult> {
    const { message } = job;
    const { session, courier } = await this.#open();
    const tracks = (['trackOpens', 'trackClicks'] as const).filter((feature) => message[feature]);
    const canTrack = session.knows('SendEmail', TRACKING);
    if (!canTrack && tracks.length > 0 && this.#options.onUnsupported === 'error')
      throw new UnsupportedFeatureError(tracks, `ses (with @aws-sdk/client-sesv2 below ${TRACKING_SINCE})`);
    if (message.envelopeSender === '') throw new UnsupportedFeatureError(['envelopeSender'], 'ses');
    const parts: RequestParts = { message, options: this.#options, tags: encodeEmailTags(message), canTrack };
    const tally = new Tally(message);
    if (message.mergeData !== null) await this.#sendMerged(parts, courier, tally, job.signal);
    else await sendWhole(parts, courier, tally, job.signal);
    return tally.result(job.index, canTrack ? [] : tracks, NEEDS_SDK);
  }

  async #sendMerged(
    parts: RequestParts,
    courier: Courier,
    tally: Tally,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { listManagement, maxConnections, retry, heldBackMs, tagHeaders } = this.#options;
    if (listManagement !== undefined) {
      const text = 'SES manages no contact lists in bulk requests: leave the option listManagement out, or mergeData';
      throw new MessageError([{ path: 'mergeData', code: 'unsupported', message: text }]);
    }
    const entries = mergeEntries(parts.message);
    const template = await whileReading(templateContent(parts.message, tagHeaders === true), signal);
    await sendInBulk(entries, {
      courier,
      tally,
      request: (chunk) => bulkRequest(parts, template, chunk),
      concurrency: maxConnections,
      retry,
      heldBackMs,
      signal,
    });
  }
}

interface Line {
  readonly session: SesSession;
  readonly courier: Courier;
}

const TRACKING = 'ConfigurationOverrides';
