import type { DeliveryResult } from '../backend/job.ts';
import type { DeliveryStatus } from '../model/status.ts';
import { type TraceContext, Tracer, tracedError } from '../options/tracer.ts';

/** What `amsdal-mail:try` tells of one try of a wrapper's connection. */
export interface TryTrace extends TraceContext {
  /** The name of the wrapper. */
  readonly backend: string;
  /** The connection. */
  readonly via: string;
  /** Recipients by what became of them; complete when the try ends. */
  recipients: Readonly<Partial<Record<DeliveryStatus, number>>>;
}

const tracer: Tracer<TryTrace> = /* @__PURE__ */ new Tracer('amsdal-mail:try');

/** Begins the trace of a try; null when nobody listens. */
export function beginTry(backend: string, via: string): TryTrace | null {
  if (!tracer.isActive) return null;
  const trace: TryTrace = { backend, via, recipients: {}, error: null };
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
