import type { Verification } from '../../backend/backend.ts';
import { askingOnce, whyWithheld } from '../../backend/commit.ts';
import type { DeliveryResult, Job } from '../../backend/job.ts';
import { SendError, UnsupportedFeatureError } from '../../model/errors.ts';
import { resolveRetry } from '../../util/backoff.ts';
import type { AccountRates } from '../../util/rates.ts';
import { accountOf, type SesAccount } from './account.ts';
import { type SesClient, SesHttpClient } from './client.ts';
import { encodeEmailTags } from './email-tags.ts';
import { sameForEvery } from './failures.ts';
import type { ResolvedSesOptions } from './options.ts';
import type { SesQuota } from './quota.ts';
import { SesRequester } from './requester.ts';
import { ResultBuilder } from './result-builder.ts';
import { SdkClient } from './sdk.ts';
import { sendBulkEmail } from './send-bulk-email.ts';
import { type SesMail, sendEmail } from './send-email.ts';

/** The guard leaves the null sender where it has no other address for bounces. */
const NO_NULL_SENDER =
  'SES has no null sender: leave it out or give an address; where the staging guard took away an address that is not allowed, allow that one or give the guard an address to redirect to';

/** The part of the ses backend that is loaded when it is first used: composer, requests and signatures. */
export class SesEngine {
  readonly #options: ResolvedSesOptions;
  readonly #account: SesAccount;
  #requester: SesRequester | null = null;

  constructor(options: ResolvedSesOptions) {
    this.#options = options;
    this.#account = accountOf(options);
  }

  /** What the account may send, as SES said when it was last asked. */
  get quota(): SesQuota | null {
    return this.#account.quota;
  }

  get left(): SesAccount['left'] {
    return this.#account.left;
  }

  /** @throws {EmailError} when SES did not say */
  accountRates(): Promise<AccountRates | null> {
    return this.#account.rates(() => this.#open().getAccount());
  }

  /** @throws {ConfigurationError} `missing-dependency` */
  connect(): void {
    this.#open();
  }

  close(): void {
    this.#requester?.client.close();
    this.#requester = null;
  }

  /** Asks for the account, and returns what SES said. */
  async verify(signal: AbortSignal | undefined): Promise<Verification['details']> {
    const requester = this.#open();
    const { SendingEnabled, EnforcementStatus, ProductionAccessEnabled } = await requester.getAccount(signal);
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
      tracking: requester.client.tracking,
    };
  }

  /** @throws {EmailError} what keeps this one, or any, from being sent */
  async deliverOne(job: Job): Promise<DeliveryResult> {
    const { index, message, signal, isTriedOnce } = job;
    const requester = this.#open();
    const tracks = (['trackOpens', 'trackClicks'] as const).filter((feature) => message[feature]);
    const { tracking } = requester.client;
    if (tracking !== true && tracks.length > 0 && this.#options.onUnsupported === 'error')
      throw new UnsupportedFeatureError(tracks, 'ses', { advice: `it ${tracking}: update that, or remove it` });
    if (message.envelopeSender === '')
      throw new UnsupportedFeatureError(['envelopeSender'], 'ses', { advice: NO_NULL_SENDER });
    const tags = encodeEmailTags(message);
    const result = new ResultBuilder(message);
    const mail: SesMail = {
      message,
      options: isTriedOnce ? { ...this.#options, retry: resolveRetry() } : this.#options,
      tags,
      canTrack: tracking === true,
      requester,
      result,
      signal,
      commit: commitOf(job),
    };
    await (message.mergeData === null ? sendEmail(mail) : sendBulkEmail(mail));
    return result.build(index, tracking === true ? [] : tracks, String(tracking));
  }

  #open(): SesRequester {
    this.#requester ??= new SesRequester(this.#client(), this.#account, this.#options);
    return this.#requester;
  }

  #client(): SesClient {
    const { client } = this.#options;
    return client === undefined ? new SesHttpClient(this.#options) : new SdkClient(client);
  }
}

/** Asks whoever gave the job, once for all its requests. */
function commitOf(job: Job): SesMail['commit'] {
  const { beforeCommit } = askingOnce(job);
  if (beforeCommit === undefined) return undefined;
  return async () => {
    const error = await whyWithheld(beforeCommit);
    return error === null ? null : sameForEvery('failed', error);
  };
}
