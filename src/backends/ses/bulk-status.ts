import { SendError, type SendErrorCode } from '../../errors.ts';
import type { DeliveryStatus } from '../../status.ts';
import { all, type Failure, inDoubt } from './failure.ts';
import type { BulkEntryResult } from './requests.ts';

interface Meaning {
  readonly code: SendErrorCode;
  readonly status: DeliveryStatus;
  readonly retry?: 'throttled' | 'transient';
}

/** What the statuses of SendBulkEmail mean; the API's documentation spells some of them in a second way. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  MESSAGE_REJECTED: { code: 'rejected', status: 'rejected' },
  MAIL_FROM_DOMAIN_NOT_VERIFIED: { code: 'account', status: 'failed' },
  CONFIGURATION_SET_NOT_FOUND: { code: 'account', status: 'failed' },
  CONFIGURATION_SET_DOES_NOT_EXIST: { code: 'account', status: 'failed' },
  TEMPLATE_NOT_FOUND: { code: 'template', status: 'failed' },
  TEMPLATE_DOES_NOT_EXIST: { code: 'template', status: 'failed' },
  ACCOUNT_SUSPENDED: { code: 'account', status: 'failed' },
  ACCOUNT_THROTTLED: { code: 'throttled', status: 'failed', retry: 'throttled' },
  ACCOUNT_DAILY_QUOTA_EXCEEDED: { code: 'quota', status: 'failed' },
  INVALID_SENDING_POOL_NAME: { code: 'account', status: 'failed' },
  ACCOUNT_SENDING_PAUSED: { code: 'account', status: 'failed' },
  CONFIGURATION_SET_SENDING_PAUSED: { code: 'account', status: 'failed' },
  INVALID_PARAMETER: { code: 'invalid-recipient', status: 'invalid' },
  INVALID_PARAMETER_VALUE: { code: 'invalid-recipient', status: 'invalid' },
  TRANSIENT_FAILURE: { code: 'temporary', status: 'failed', retry: 'transient' },
  FAILED: { code: 'provider', status: 'failed' },
};

/** Why an entry of a bulk request was not sent; null when it was. A status that is not known yet is `unknown`. */
export function entryFailure({ Status, MessageId, Error: reason }: BulkEntryResult): Failure | null {
  if (Status === 'SUCCESS') {
    return MessageId ? null : inDoubt('uncertain', 'it answered SUCCESS without a MessageId');
  }
  const meaning = Status !== undefined && Object.hasOwn(MEANINGS, Status) ? MEANINGS[Status] : undefined;
  const said = [Status ?? 'no status', reason].filter(Boolean).join(': ');
  if (meaning === undefined) return inDoubt('uncertain', `it answered ${said}`);
  const { code, status, retry = null } = meaning;
  const error = new SendError(code, `SES refused the mail: ${said}`, { phase: 'request', retryable: retry !== null });
  return { ...all(status, error), retry };
}
