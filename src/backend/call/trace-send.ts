import { EmailError } from '../../model/errors.ts';
import type { DeliveryStatus, MessageResult, SendStatus } from '../../model/status.ts';
import { type TraceContext, Tracer, tracedError } from '../../options/tracer.ts';

/** What `amsdal-mail:send` tells of one call of sendMail, sendMessages, stream or their blocking forms. */
export interface SendTrace extends TraceContext {
  /** The name of the backend. */
  readonly backend: string;
  /** Messages of the call; null while it is not known, as they come from an iterator. */
  messages: number | null;
  /** Whether the thread waits for it. */
  readonly blocking: boolean;
  /** Recipients by what became of them, as far as is known; complete when the call ends. */
  recipients: Readonly<Partial<Record<DeliveryStatus, number>>>;
}

/** Of all calls. */
export const tracer: Tracer<SendTrace> = /* @__PURE__ */ new Tracer('amsdal-mail:send');

/** Whether calls are to be traced. */
export function isSendTraced(): boolean {
  return tracer.isActive;
}

/** Traces a call that ends in a status. */
export function traceSend(backend: string, messages: unknown, send: () => Promise<SendStatus>): Promise<SendStatus> {
  const context = sendTrace(backend, messages, false);
  return tracer.trace(context, send, (status, error) => noteResults(context, resultsOf(status, error)));
}

/** Traces a call that blocks. */
export function traceSendSync(backend: string, messages: unknown, send: () => SendStatus): SendStatus {
  const context = sendTrace(backend, messages, true);
  try {
    const status = tracer.begin(context, send);
    noteResults(context, status.results);
    return status;
  } catch (error) {
    context.error = tracedError(error);
    noteResults(context, resultsOf(undefined, error));
    throw error;
  } finally {
    tracer.end(context);
  }
}

/** What is known of a call at its start. */
export function sendTrace(backend: string, messages: unknown, blocking: boolean): SendTrace {
  return { backend, messages: Array.isArray(messages) ? messages.length : null, blocking, recipients: {}, error: null };
}

function resultsOf(status: SendStatus | undefined, error: unknown): readonly MessageResult[] {
  return (status ?? (error instanceof EmailError ? error.status : null))?.results ?? [];
}

function noteResults(context: SendTrace, results: readonly MessageResult[]): void {
  const recipients: Partial<Record<DeliveryStatus, number>> = {};
  for (const result of results) countRecipients(recipients, result);
  context.recipients = recipients;
  context.messages ??= results.length;
}

/** Adds the recipients of a result. */
export function countRecipients(counts: Partial<Record<DeliveryStatus, number>>, { recipients }: MessageResult): void {
  for (const { status } of recipients.values()) counts[status] = (counts[status] ?? 0) + 1;
}
