import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import type { Attributes, Span, SpanContext, SpanOptions } from '@opentelemetry/api';
import type { SendTrace } from '../backend/call/trace-send.ts';
import { loadError } from '../options/optional-package.ts';
import type { TraceContext } from '../options/tracer.ts';
import type { EnqueueTrace } from '../outbox/trace-enqueue.ts';
import type { SmtpTrace } from '../smtp/trace-smtp.ts';
import type { TryTrace } from '../wrappers/trace-try.ts';

type Api = Pick<typeof import('@opentelemetry/api'), 'context' | 'metrics' | 'trace'>;

/** Of SpanKind and SpanStatusCode, which the package's default export lacks. */
const CLIENT = 2;
const PRODUCER = 3;
const CONSUMER = 4;
const ERROR = 2;

/** Options of {@link instrumentMail}. */
export interface MailTelemetryOptions {
  /** A TracerProvider of OpenTelemetry; default the global one. */
  readonly tracerProvider?: { getTracer(name: string): unknown };
  /** A MeterProvider of OpenTelemetry; default the global one. */
  readonly meterProvider?: { getMeter(name: string): unknown };
}

const NAME = 'amsdal-mail';

/**
 * Reports this package's traces as OpenTelemetry spans and metrics, by the semantic conventions for messaging.
 *
 * Spans: `send BACKEND` for each call, with children `smtp connect` and `smtp deliver`, and `try CONNECTION` for each try of a
 * wrapper. An outbox has `enqueue LANE` (PRODUCER) for each mail that it writes down, and `send LANE` (CONSUMER) for each try,
 * linked to that. Metrics: `messaging.client.sent.messages`,
 * `messaging.client.operation.duration` (seconds) and `amsdal_mail.recipients` by status. None contains addresses, subjects or
 * texts.
 *
 * @returns A function that stops the reports.
 * @throws {ConfigurationError} `missing-dependency` when the package `@opentelemetry/api` is not installed.
 */
export async function instrumentMail(options: MailTelemetryOptions = {}): Promise<() => void> {
  const api: Api = await import('@opentelemetry/api').catch((cause: unknown) => {
    throw loadError('@opentelemetry/api', 'amsdal-mail/otel', cause);
  });
  const telemetry = new MailTelemetry(api, options);
  const stops = [
    listen<SendTrace>(
      'amsdal-mail:send',
      (context) => telemetry.startSend(context),
      (context, operation) => telemetry.endSend(context, operation),
    ),
    listen<TryTrace>(
      'amsdal-mail:try',
      (context) => telemetry.startTry(context),
      (context, operation) => telemetry.endTry(context, operation),
    ),
    listen<EnqueueTrace>(
      'amsdal-mail:enqueue',
      (context) => telemetry.startEnqueue(context),
      ({ error }, { span }) => telemetry.end(span, error),
    ),
    listen<SmtpTrace>(
      'amsdal-mail:smtp',
      (context) => telemetry.startSmtp(context),
      (context, operation) => telemetry.endSmtp(context, operation),
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** A running operation: its span and start time. */
interface Operation {
  readonly span: Span;
  readonly startedAt: number;
}

/** The parent of operations that start in this async context. */
const current = /* @__PURE__ */ new AsyncLocalStorage<Operation>();

function listen<C extends TraceContext>(
  name: string,
  start: (context: C) => Operation,
  end: (context: C, operation: Operation) => void,
): () => void {
  const { start: starts, asyncEnd: ends } = tracingChannel<Operation, C>(name);
  const operations = new WeakMap<C, Operation>();
  const onEnd = (message: unknown): void => {
    const context = message as C; // as this package publishes on the channel
    const operation = operations.get(context);
    if (operation) end(context, operation);
  };
  starts.bindStore(current, (context) => {
    const operation = start(context);
    operations.set(context, operation);
    return operation;
  });
  ends.subscribe(onEnd);
  return () => {
    starts.unbindStore(current);
    ends.unsubscribe(onEnd);
  };
}

class MailTelemetry {
  readonly #api: Api;
  readonly #tracer: ReturnType<Api['trace']['getTracer']>;
  readonly #duration;
  readonly #messages;
  readonly #recipients;

  constructor(api: Api, { tracerProvider = api.trace, meterProvider = api.metrics }: MailTelemetryOptions) {
    this.#api = api;
    // The options do not name OpenTelemetry's types, so that this package's declarations do not need them.
    this.#tracer = tracerProvider.getTracer(NAME) as ReturnType<Api['trace']['getTracer']>;
    const meter = meterProvider.getMeter(NAME) as ReturnType<Api['metrics']['getMeter']>;
    this.#duration = meter.createHistogram('messaging.client.operation.duration', {
      unit: 's',
      description: 'How long a call took',
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] },
    });
    this.#messages = meter.createCounter('messaging.client.sent.messages', {
      unit: '{message}',
      description: 'Messages that were given to a backend',
    });
    this.#recipients = meter.createCounter('amsdal_mail.recipients', {
      unit: '{recipient}',
      description: 'Recipients by what became of them',
    });
  }

  startSend({ backend }: SendTrace): Operation {
    return this.#start(`send ${backend}`, sendAttributes(backend));
  }

  endSend({ backend, messages, recipients, error }: SendTrace, { span, startedAt }: Operation): void {
    const counts = Object.entries(recipients);
    if (messages !== null && messages !== 1) span.setAttribute('messaging.batch.message_count', messages);
    for (const [status, count] of counts) span.setAttribute(`amsdal_mail.recipients.${status}`, count);
    this.end(span, error);
    const attributes = { ...sendAttributes(backend), ...errorAttributes(error) };
    this.#duration.record((performance.now() - startedAt) / 1000, attributes);
    this.#messages.add(messages ?? 0, attributes);
    for (const [status, count] of counts) {
      this.#recipients.add(count, { 'messaging.system': backend, 'amsdal_mail.status': status });
    }
  }

  startTry({ via, mail }: TryTrace): Operation {
    if (mail === null) return this.#start(`try ${via}`, { 'amsdal_mail.via': via });
    const { id, lane, traceparent } = mail;
    const attributes = { ...outboxAttributes('send', 'process', id, lane), 'amsdal_mail.via': via };
    const context = traceparent === null ? null : readTraceparent(traceparent);
    // The worker may have been started within some other operation, of which this is no part.
    return this.#start(`send ${lane}`, attributes, { kind: CONSUMER, root: true, links: context ? [{ context }] : [] });
  }

  startEnqueue(trace: EnqueueTrace): Operation {
    const { id, lane } = trace;
    const operation = this.#start(`enqueue ${lane}`, outboxAttributes('enqueue', 'create', id, lane), {
      kind: PRODUCER,
    });
    const context = operation.span.spanContext();
    if (this.#api.trace.isSpanContextValid(context)) trace.traceparent = writeTraceparent(context);
    return operation;
  }

  endTry({ recipients, error }: TryTrace, { span }: Operation): void {
    for (const [status, count] of Object.entries(recipients))
      span.setAttribute(`amsdal_mail.recipients.${status}`, count);
    this.end(span, error);
  }

  startSmtp({ operation, host, port, recipients }: SmtpTrace): Operation {
    return this.#start(`smtp ${operation}`, {
      'network.protocol.name': 'smtp',
      'server.address': host,
      'server.port': port,
      ...(recipients !== null && { 'amsdal_mail.recipients.count': recipients }),
    });
  }

  endSmtp({ tls, accepted, error }: SmtpTrace, { span }: Operation): void {
    if (tls !== null)
      span.setAttributes({ 'tls.protocol.name': 'tls', 'tls.protocol.version': tls.replace('TLSv', '') });
    if (accepted !== null) span.setAttribute('amsdal_mail.recipients.accepted', accepted);
    this.end(span, error);
  }

  #start(name: string, attributes: Attributes, options: SpanOptions = {}): Operation {
    const { context, trace } = this.#api;
    const parent = current.getStore();
    const scope = parent ? trace.setSpan(context.active(), parent.span) : context.active();
    const span = this.#tracer.startSpan(name, { kind: CLIENT, attributes, ...options }, scope);
    return { span, startedAt: performance.now() };
  }

  end(span: Span, error: TraceContext['error']): void {
    if (error !== null) {
      span.setAttributes(errorAttributes(error));
      span.setStatus({ code: ERROR });
    }
    span.end();
  }
}

function sendAttributes(backend: string): Attributes {
  return { 'messaging.system': backend, 'messaging.operation.name': 'send', 'messaging.operation.type': 'send' };
}

function outboxAttributes(name: string, type: string, id: string, lane: string): Attributes {
  return {
    'messaging.system': 'outbox',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.destination.name': lane,
    'messaging.message.id': id,
  };
}

/** As a `traceparent` header is written: W3C Trace Context, section 3.2. */
function writeTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

function readTraceparent(text: string): SpanContext | null {
  const [, traceId, spanId, flags] = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

function errorAttributes(error: TraceContext['error']): Attributes {
  return error === null ? {} : { 'error.type': error.code ?? error.name };
}
