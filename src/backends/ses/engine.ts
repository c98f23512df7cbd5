import type { Verification } from '../../backend.ts';
import { type DeliveryResult, type Job, whileReading } from '../../delivery.ts';
import { MessageError, SendError, UnsupportedFeatureError } from '../../errors.ts';
import { accountOf, type SesAccount, type SesQuota } from './account.ts';
import { sendInBulk } from './bulk.ts';
import { templateContent } from './content.ts';
import { Courier } from './courier.ts';
import { mergeEntries } from './merge.ts';
import type { ResolvedSesOptions } from './options.ts';
import { bulkRequest, type RequestParts } from './request.ts';
import { SesSession } from './sdk.ts';
import { encodeEmailTags } from './tags.ts';
import { Tally } from './tally.ts';
import { sendWhole } from './whole.ts';

const TRACKING = 'ConfigurationOverrides';
const TRACKING_SINCE = '3.1125.0';
const NEEDS_SDK = `needs @aws-sdk/client-sesv2 ${TRACKING_SINCE}`;

interface Line {
  readonly session: SesSession;
  readonly courier: Courier;
}

/** What of the ses backend is loaded with its first use: composer, requests and the AWS SDK. */
export class SesEngine {
  readonly #options: ResolvedSesOptions;
  readonly #account: SesAccount;
  #line: Line | null = null;

  constructor(options: ResolvedSesOptions) {
    this.#options = options;
    this.#account = accountOf(options);
  }

  /** What the account may send, as SES said when it was last asked. */
  get quota(): SesQuota | null {
    return this.#account.quota;
  }

  /** @throws {ConfigurationError} `missing-dependency` */
  connect(): void {
    this.#open();
  }

  close(): void {
    this.#line?.session.close();
    this.#line = null;
  }

  /** Asks for the account, and tells what SES said. */
  async verify(signal: AbortSignal | undefined): Promise<Verification['details']> {
    const { courier, session } = this.#open();
    const { SendingEnabled, EnforcementStatus, ProductionAccessEnabled } = await courier.askAccount(signal);
    const { region, client } = this.#options;
    if (SendingEnabled === false || EnforcementStatus === 'SHUTDOWN') {
      const text = `SES has stopped this account in ${region} from sending: see the account dashboard of the SES console`;
      throw new SendError('account', text, { phase: 'request' });
    }
    return {
      region: client ? null : region,
      isInSandbox: ProductionAccessEnabled !== true,
      enforcementStatus: EnforcementStatus ?? null,
      ...this.#account.quota,
      tracking: session.knows('SendEmail', TRACKING) || NEEDS_SDK,
    };
  }

  /** @throws {EmailError} what keeps this one, or any, from being sent */
  async deliverOne(job: Job): Promise<DeliveryResult> {
    const { message } = job;
    const { session, courier } = this.#open();
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

  #open(): Line {
    if (this.#line === null) {
      const session = SesSession.open(this.#options);
      this.#line = { session, courier: new Courier(session, this.#account, this.#options) };
    }
    return this.#line;
  }
}
