import { type BeforeSendContext, mailEvents } from '../../events/mail-contexts.ts';
import type { Awaitable, MailEvent } from '../../events/mail-event.ts';
import { type Composer, composer } from '../../mime/composer.ts';
import { ConfigurationError, EmailError, SendError, UnsupportedFeatureError } from '../../model/errors.ts';
import { findMissingFeatures } from '../../model/features.ts';
import { EmailMessage, hasImagesToInline } from '../../model/message.ts';
import { reasonOf } from '../../util/reason.ts';
import type { DeliveryFilter } from '../filter.ts';
import { type Job, unreadableContent } from '../job.ts';
import type { CallOptions } from './call-options.ts';
import {
  type BackendFacts,
  ourMessage,
  type Prepared,
  type Readable,
  type ReadInput,
  type Refused,
} from './read-input.ts';
import { settleFailed } from './settle.ts';

const NONE: readonly never[] = /* @__PURE__ */ Object.freeze([]);

/**
 * Runs the hooks, makes the images of the HTML attachments where that is asked for, lets the filters change the message or
 * stop it, and checks what it needs then against what the backend can do.
 */
export function prepare(
  backend: BackendFacts,
  filters: readonly DeliveryFilter[],
  read: ReadInput,
  isBlocking: boolean,
): Awaitable<Prepared | Refused> {
  if (read.kind === 'refused') return read;
  const { BeforeSend } = mailEvents;
  if (!BeforeSend?.hasListeners) return makeReady(backend, filters, read, isBlocking);
  return runBeforeSend(BeforeSend, backend, read, (changed) => makeReady(backend, filters, changed, isBlocking));
}

/** The job as the backend sees it. */
export function jobOf(
  { index, outgoing: message }: Prepared,
  signal: AbortSignal | undefined,
  beforeCommit?: CallOptions['beforeCommit'],
): Job {
  if (beforeCommit === undefined) return { index, message, signal };
  return { index, message, signal, beforeCommit: (request) => beforeCommit(index, request) };
}

function runBeforeSend(
  event: MailEvent<BeforeSendContext>,
  backend: BackendFacts,
  read: Readable,
  next: (read: Readable) => Awaitable<Prepared | Refused>,
): Awaitable<Prepared | Refused> {
  const proceed = ({ message, cancelled }: BeforeSendContext): Awaitable<Prepared | Refused> => {
    if (!(message instanceof EmailMessage)) {
      throw new ConfigurationError('invalid-listener', 'pass on {...context, message: message.with({...})}');
    }
    const changed: Readable = { ...read, message: ourMessage(message) };
    if ((cancelled ?? null) === null) return next(changed);
    const error = new SendError('cancelled', `a listener of BeforeSend cancelled the message: ${cancelled}`, {
      phase: 'hook',
    });
    return refuse(changed, error);
  };
  const fail = (cause: unknown): Refused => {
    const reason = reasonOf(cause);
    return refuse(
      read,
      new SendError('listener', `a listener of BeforeSend failed: ${reason}`, { phase: 'hook', cause }),
    );
  };
  try {
    const context = event.emit({ backend: backend.name, message: read.message, cancelled: null });
    return context instanceof Promise ? context.then(proceed).catch(fail) : proceed(context);
  } catch (cause) {
    return fail(cause);
  }
}

function makeReady(
  backend: BackendFacts,
  filters: readonly DeliveryFilter[],
  { index, message, invalid }: Readable,
  isBlocking: boolean,
): Awaitable<Prepared | Refused> {
  const ready: Prepared = { kind: 'prepared', index, message, outgoing: message, passed: NONE, ignored: NONE, invalid };
  if (!hasImagesToInline(message)) return pass(backend, filters, ready);
  const inline = ({ withInlineImages }: Composer) =>
    pass(backend, filters, { ...ready, outgoing: withInlineImages(message) });
  const fail = (cause: unknown) => refuse(ready, unreadableContent(cause));
  try {
    const loaded = isBlocking ? composer.loadNow() : composer.loaded;
    return loaded === null ? composer.load().then(inline).catch(fail) : inline(loaded);
  } catch (cause) {
    return fail(cause);
  }
}

/** Lets the filters change a message or stop it, and checks what it needs then against what the backend can do. */
export function pass(
  backend: BackendFacts,
  filters: readonly DeliveryFilter[],
  prepared: Prepared,
): Prepared | Refused {
  const passed = passFilters(filters, prepared);
  return passed.kind === 'refused' ? passed : checkFeatures(backend, passed);
}

function passFilters(filters: readonly DeliveryFilter[], prepared: Prepared): Prepared | Refused {
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

function checkFeatures(backend: BackendFacts, prepared: Prepared): Prepared | Refused {
  const { advisory, essential } = findMissingFeatures(prepared.outgoing, backend.features);
  const fatal = backend.options.onUnsupported === 'error' ? [...essential, ...advisory] : essential;
  if (fatal.length > 0) return refuse(prepared, new UnsupportedFeatureError(fatal, backend.name));
  return advisory.length === 0 ? prepared : { ...prepared, ignored: advisory };
}

function refuse(read: Readable | Prepared, error: EmailError): Refused {
  return { kind: 'refused', message: read.message, result: settleFailed(read, error) };
}
