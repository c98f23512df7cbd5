import { mailEvents } from '../../events/mail-contexts.ts';
import type { Awaitable } from '../../events/mail-event.ts';
import { type EmailError, SendError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import type { MessageResult, RecipientStatus } from '../../model/status.ts';
import { reasonOf } from '../../util/reason.ts';

/**
 * Tells the listeners of AfterSend or SendFailed what became of a message.
 *
 * What a listener throws cannot change what was sent: it comes back as an error that the call ends with, beside its status.
 */
export function tellListeners(
  backend: string,
  message: EmailMessage,
  result: MessageResult,
): Awaitable<EmailError | null> {
  const { AfterSend, SendFailed } = mailEvents;
  const event = result.error === null ? AfterSend : SendFailed;
  if (!event?.hasListeners) return null;
  const callError = (cause: unknown): EmailError => {
    const reason = reasonOf(cause);
    const text = `a listener of ${event.name} failed, see status for what was sent: ${reason}`;
    return new SendError('listener', text, { phase: 'hook', outcome: result.error?.outcome ?? 'unknown', cause });
  };
  const shown = frozenCopy(result);
  try {
    const told =
      result.error === null
        ? AfterSend?.emit({ backend, message, result: shown })
        : SendFailed?.emit({ backend, message, result: shown, error: result.error });
    return told instanceof Promise ? told.then(() => null, callError) : null;
  } catch (cause) {
    return callError(cause);
  }
}

/** What listeners see of a result: nothing they do to it may change what the sender is told. */
function frozenCopy(result: MessageResult): MessageResult {
  const recipients = new Map<string, RecipientStatus>();
  for (const [address, status] of result.recipients) recipients.set(address, Object.freeze({ ...status }));
  return Object.freeze({ ...result, recipients, ignored: Object.freeze([...result.ignored]) });
}
