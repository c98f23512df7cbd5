import type { Job } from './delivery.ts';
import type { DeliveryFilter } from './delivery-filter.ts';
import { ConfigurationError, EmailError, SendError, UnsupportedFeatureError } from './errors.ts';
import type { Awaitable } from './events.ts';
import { findMissingFeatures } from './features.ts';
import { BeforeSend, type BeforeSendContext } from './mail-events.ts';
import { EmailMessage } from './message.ts';
import { withInlineImages } from './mime/inline-images.ts';
import { ourMessage, type Prepared, type ReadInput, type Refused, type Sender } from './read-input.ts';
import { settleFailed } from './settle.ts';
import { reasonOf } from './util/reason.ts';

/**
 * Runs the hooks, makes the images of the HTML attachments where that is asked for, lets the filters change the message or
 * stop it, and checks what it needs then against what the backend can do.
 */
export function prepare(sender: Sender, filters: readonly DeliveryFilter[], read: ReadInput): Awaitable<ReadInput> {
  if (read.kind === 'refused') return read;
  const finish = (prepared: Prepared): ReadInput => {
    const outgoing = withInlineImages(prepared.outgoing);
    const passed = passFilters(filters, outgoing === prepared.outgoing ? prepared : { ...prepared, outgoing });
    return passed.kind === 'refused' ? passed : checkFeatures(sender, passed);
  };
  return BeforeSend.hasListeners ? runBeforeSend(sender, read, finish) : finish(read);
}

/** The job as the backend sees it. */
export function jobOf(prepared: Prepared, signal: AbortSignal | undefined): Job {
  return { index: prepared.index, message: prepared.outgoing, signal };
}

function runBeforeSend(
  sender: Sender,
  prepared: Prepared,
  finish: (prepared: Prepared) => ReadInput,
): Awaitable<ReadInput> {
  const proceed = ({ message, cancelled }: BeforeSendContext): ReadInput => {
    if (!(message instanceof EmailMessage)) {
      throw new ConfigurationError('invalid-listener', 'pass on {...context, message: message.with({...})}');
    }
    const ours = ourMessage(message);
    const changed: Prepared = { ...prepared, message: ours, outgoing: ours };
    if ((cancelled ?? null) === null) return finish(changed);
    const error = new SendError('cancelled', `a listener of BeforeSend cancelled the message: ${cancelled}`, {
      phase: 'hook',
    });
    return refuse(changed, error);
  };
  const fail = (cause: unknown): Refused => {
    const reason = reasonOf(cause);
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

function passFilters(filters: readonly DeliveryFilter[], prepared: Prepared): ReadInput {
  let passed = prepared;
  for (const filter of filters) {
    const { outgoing: message } = passed;
    try {
      const outgoing = filter.outgoing(message);
      if (outgoing instanceof EmailError) return refuse(passed, outgoing);
      passed = { ...passed, outgoing, passed: [...passed.passed, { filter, message }] };
    } catch (cause) {
      return refuse(passed, cause instanceof EmailError ? cause : filterFailed(cause));
    }
  }
  return passed;
}

function filterFailed(cause: unknown): SendError {
  const reason = reasonOf(cause);
  return new SendError('cancelled', `the filter before the backend failed, so nothing was sent: ${reason}`, {
    phase: 'hook',
    cause,
  });
}

function checkFeatures(sender: Sender, prepared: Prepared): ReadInput {
  const { advisory, essential } = findMissingFeatures(prepared.outgoing, sender.features);
  const fatal = sender.options.onUnsupported === 'error' ? [...essential, ...advisory] : essential;
  if (fatal.length > 0) return refuse(prepared, new UnsupportedFeatureError(fatal, sender.name));
  return advisory.length === 0 ? prepared : { ...prepared, ignored: advisory };
}

function refuse(prepared: Prepared, error: EmailError): Refused {
  return { kind: 'refused', message: prepared.message, result: settleFailed(prepared, error) };
}
