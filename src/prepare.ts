import { failedDelivery, type Job } from './delivery.ts';
import { ConfigurationError, type EmailError, SendError, UnsupportedFeatureError } from './errors.ts';
import type { Awaitable } from './events.ts';
import { findMissingFeatures } from './features.ts';
import { BeforeSend, type BeforeSendContext } from './mail-events.ts';
import { EmailMessage } from './message.ts';
import type { Prepared, ReadInput, Refused, Sender } from './read-input.ts';
import { settle } from './settle.ts';

/** Runs the hooks and checks what the message needs against what the backend can do. */
export function prepare(sender: Sender, read: ReadInput): Awaitable<ReadInput> {
  if (read.kind === 'refused') return read;
  return BeforeSend.hasListeners ? runBeforeSend(sender, read) : checkFeatures(sender, read);
}

/** The job as the backend sees it. */
export function jobOf(prepared: Prepared, signal: AbortSignal | undefined): Job {
  return { index: prepared.index, message: prepared.message, signal };
}

function runBeforeSend(sender: Sender, prepared: Prepared): Awaitable<ReadInput> {
  const proceed = ({ message, cancelled }: BeforeSendContext): ReadInput => {
    if (!(message instanceof EmailMessage)) {
      throw new ConfigurationError('invalid-listener', 'pass on {...context, message: message.with({...})}');
    }
    if ((cancelled ?? null) === null) return checkFeatures(sender, { ...prepared, message });
    const error = new SendError('cancelled', `a listener of BeforeSend cancelled the message: ${cancelled}`, {
      phase: 'hook',
    });
    return refuse({ ...prepared, message }, error);
  };
  const fail = (cause: unknown): Refused => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return refuse(
      prepared,
      new SendError('listener', `a listener of BeforeSend failed: ${reason}`, { phase: 'hook', cause }),
    );
  };
  try {
    const context = BeforeSend.emit({ backend: sender.name, message: prepared.message, cancelled: null });
    return context instanceof Promise ? context.then(proceed).catch(fail) : proceed(context);
  } catch (cause) {
    return fail(cause);
  }
}

function checkFeatures(sender: Sender, prepared: Prepared): ReadInput {
  const { advisory, essential } = findMissingFeatures(prepared.message, sender.features);
  const fatal = sender.options.onUnsupported === 'error' ? [...essential, ...advisory] : essential;
  if (fatal.length > 0) return refuse(prepared, new UnsupportedFeatureError(fatal, sender.name));
  return advisory.length === 0 ? prepared : { ...prepared, ignored: advisory };
}

function refuse(prepared: Prepared, error: EmailError): Refused {
  return { kind: 'refused', message: prepared.message, result: settle(prepared, failedDelivery(prepared, error)) };
}
