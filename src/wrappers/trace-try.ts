import type { DeliveryResult } from '../backend/job.ts';
import type { DeliveryStatus } from '../model/status.ts';
import { type TraceContext, Tracer, tracedError } from '../options/tracer.ts';

/** A mail of an outbox that is tried. */
export interface TracedMail {
  /** Its id in the outbox. */
  readonly id: string;
  /** Its lane. */
  readonly lane: string;
  /** The span that wrote it down, as W3C Trace Context writes it; null when nobody traced it. */
  readonly traceparent: string | null;
}

/** What `amsdal-mail:try` tells of one try of a wrapper's connection, or of an outbox's. */
export interface TryTrace extends TraceContext {
  /** What the worker of an outbox sends; null for a wrapper. */
  readonly mail: TracedMail | null;
  /** The name of the wrapper. */
  readonly backend: string;
  /** The connection. */
  readonly via: string;
  /** Recipients by what became of them; complete when the try ends. */
  recipients: Readonly<Partial<Record<DeliveryStatus, number>>>;
}

const tracer: Tracer<TryTrace> = /* @__PURE__ */ new Tracer('amsdal-mail:try');

/** Begins the trace of a try; null when nobody listens. */
export function beginTry(backend: string, via: string, mail: TracedMail | null = null): TryTrace | null {
  if (!tracer.isActive) return null;
  const trace: TryTrace = { backend, via, mail, recipients: {}, error: null };
  tracer.begin(trace, () => {});
  return trace;
}

/** Ends it with what became of the try. */
export function endTry(trace: TryTrace, { error, recipients }: DeliveryResult): void {
  const counts: Partial<Record<DeliveryStatus, number>> = {};
  for (const { status } of recipients.values()) counts[status] = (counts[status] ?? 0) + 1;
  trace.recipients = counts;
  const [first] = recipients.values();
  const cause = error ?? (counts.sent === undefined && counts.queued === undefined ? first?.error : null);
  if (cause) trace.error = tracedError(cause);
  tracer.end(trace);
}
