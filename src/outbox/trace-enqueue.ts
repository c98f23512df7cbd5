import { type TraceContext, Tracer } from '../options/tracer.ts';

/** What `amsdal-mail:enqueue` tells of a mail that an outbox writes down. */
export interface EnqueueTrace extends TraceContext {
  /** The mail's id in the outbox. */
  readonly id: string;
  /** Its lane. */
  readonly lane: string;
  /** A listener sets it when the trace starts: it is kept with the mail, and told again at each try. */
  traceparent: string | null;
}

const tracer: Tracer<EnqueueTrace> = /* @__PURE__ */ new Tracer('amsdal-mail:enqueue');

/** Writes a mail down, as `write` does with what the listeners want kept with it. */
export function traceEnqueue<T>(
  id: string,
  lane: string,
  write: (traceparent: string | null) => Promise<T>,
): Promise<T> {
  if (!tracer.isActive) return write(null);
  const context: EnqueueTrace = { id, lane, traceparent: null, error: null };
  return tracer.trace(
    context,
    () => write(context.traceparent),
    () => {},
  );
}
