import { copyError } from '../../model/error-copies.ts';
import {
  ConfigurationError,
  EmailConnectionError,
  type EmailError,
  MessageError,
  SendError,
} from '../../model/errors.ts';
import { type MessageResult, type RecipientStatus, SendStatus } from '../../model/status.ts';

/**
 * The one place where results become a status or an exception: throws only when no recipient of the whole call was sent
 * or queued and a message was not merely cancelled; the error carries the status.
 *
 * `callError` is what went wrong beside the messages: a listener that failed after the send, or a source that threw. Once
 * anything was sent, it is never `not-sent` nor to be tried again as a whole.
 * `failSilently` keeps faults of delivery in the status; a ConfigurationError or MessageError is thrown all the same.
 */
export function conclude(
  results: readonly MessageResult[],
  failSilently: boolean,
  callError: EmailError | null,
): SendStatus {
  const status = new SendStatus(results);
  if (callError !== null) throw withStatus(results.some(mayBeSent) ? asUncertain(callError) : callError, status);
  if (results.some(({ error }) => error === null)) return status;
  const failures = results.flatMap(({ error }) => (error === null || error.code === 'cancelled' ? [] : [error]));
  const thrown = failSilently
    ? failures.find((error) => error instanceof ConfigurationError || error instanceof MessageError)
    : summarize(failures);
  if (thrown) throw withStatus(thrown, status);
  return status;
}

/** Whether a message has reached anybody, or may have. */
export function mayBeSent({ error }: MessageResult): boolean {
  return error === null || error.outcome === 'unknown';
}

/** What ended a call in which messages were sent before: who tries the whole call again would send them twice. */
export function asUncertain(callError: EmailError): EmailError {
  return copyError(callError, { retryable: false, outcome: 'unknown' });
}

/** The error of a message of which nothing was sent, made from what its recipients say. */
export function refusal(recipients: ReadonlyMap<string, RecipientStatus>): EmailError {
  const all = [...recipients.values()];
  const [first] = all;
  if (first?.error && all.every(({ error }) => error === first.error)) return first.error;
  // What is about the connection, and is told again for each recipient, is about none of them.
  if (first?.error instanceof EmailConnectionError && all.every(({ error }) => error?.code === first.error?.code)) {
    return first.error;
  }
  const lines = all.map(({ address, status, code, enhancedCode, response }) =>
    [`${address}: ${status}`, code, enhancedCode, response].filter((part) => part !== null).join(' '),
  );
  const shown = lines.length > 5 ? [...lines.slice(0, 5), `and ${lines.length - 5} more`] : lines;
  const text = `no recipient was accepted; ${shown.join('; ')}`;
  if (all.some(({ status }) => status === 'unknown')) return new SendError('uncertain', text, { outcome: 'unknown' });
  if (all.every(({ status }) => status === 'invalid'))
    return new SendError('invalid-recipient', text, { phase: 'rcpt' });
  const retryable = all.length > 0 && all.every((recipient) => recipient.retryable);
  return new SendError(retryable ? 'temporary' : 'rejected', text, { phase: 'rcpt', retryable });
}

function summarize(failures: readonly EmailError[]): EmailError | undefined {
  const [first] = failures;
  if (!first || failures.every(({ code, name }) => code === first.code && name === first.name)) return first;
  return new SendError('several', `none of ${failures.length} messages was sent; the first: ${first.message}`, {
    phase: first.phase,
    retryable: failures.every(({ retryable }) => retryable),
    outcome: failures.some(({ outcome }) => outcome === 'unknown') ? 'unknown' : 'not-sent',
  });
}

/** A copy that carries the status: the error itself may be shared with other calls that waited for the same connection. */
function withStatus(error: EmailError, status: SendStatus): EmailError {
  return copyError(error, { status });
}
