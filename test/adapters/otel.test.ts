import { context, type Span, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { instrumentMail } from '../../src/adapters/otel.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { getConnection } from '../../src/connection/connection.ts';
import { sendMail } from '../../src/connection/send.ts';
import { failover } from '../../src/connection/wrappers.ts';
import { SendError } from '../../src/model/errors.ts';
import { memoryStore } from '../../src/outbox/memory-store.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';

const mail = {
  subject: 'SECRET subject',
  message: 'SECRET text',
  fromEmail: 'shop@example.com',
  recipientList: ['ann@example.org', 'bob@example.org'],
};

describe('instrumentMail', () => {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  let metrics: InMemoryMetricExporter;
  let meterProvider: MeterProvider;
  let stop: () => void;

  beforeEach(async () => {
    metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 2 ** 30 });
    meterProvider = new MeterProvider({ readers: [reader] });
    stop = await instrumentMail({ tracerProvider, meterProvider });
  });
  afterEach(async () => {
    stop();
    await meterProvider.shutdown();
    spans.reset();
  });

  const shown = () =>
    spans.getFinishedSpans().map(({ name, attributes, status }) => ({ name, attributes, status: status.code }));

  const points = async () => {
    await meterProvider.forceFlush();
    const all =
      metrics
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    return Object.fromEntries(
      all.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => ({
          ...attributes,
          value: typeof value === 'number' ? value : value.count,
        })),
      ]),
    );
  };

  test('a call over SMTP: a span for the call, in it one for the connection and one for the message', async () => {
    await using server = await SmtpServer.start({
      onRcpt: (address) => (address.startsWith('bob') ? '550 5.1.1 No such user bob@example.org' : undefined),
    });
    await using connection = new SmtpBackend({ host: server.host, port: server.port });
    await sendMail({ ...mail, connection });
    const server_ = { 'network.protocol.name': 'smtp', 'server.address': server.host, 'server.port': server.port };
    expect(shown()).toEqual([
      { name: 'smtp connect', attributes: server_, status: 0 },
      {
        name: 'smtp deliver',
        attributes: { ...server_, 'amsdal_mail.recipients.count': 2, 'amsdal_mail.recipients.accepted': 1 },
        status: 0,
      },
      {
        name: 'send smtp',
        attributes: {
          'messaging.system': 'smtp',
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          'amsdal_mail.recipients.sent': 1,
          'amsdal_mail.recipients.invalid': 1,
        },
        status: 0,
      },
    ]);
    const [connect, deliver, send] = spans.getFinishedSpans();
    for (const child of [connect, deliver]) {
      expect(child?.parentSpanContext?.spanId).toBe(send?.spanContext().spanId);
      expect(child?.spanContext().traceId).toBe(send?.spanContext().traceId);
    }
    expect(JSON.stringify(shown())).not.toMatch(/SECRET|ann@|bob@/);
  });

  test('a span for every try of a wrapper, within that of its call', async () => {
    const first = new DummyBackend();
    first.failNext(new SendError('temporary', 'ann@example.org: later', { retryable: true }));
    await sendMail({ ...mail, connection: failover([first, new DummyBackend()]) });
    expect(shown()).toMatchObject([
      { name: 'try dummy', attributes: { 'amsdal_mail.recipients.failed': 2, 'error.type': 'temporary' }, status: 2 },
      {
        name: 'try dummy-2',
        attributes: { 'amsdal_mail.via': 'dummy-2', 'amsdal_mail.recipients.sent': 2 },
        status: 0,
      },
      { name: 'send failover', status: 0 },
    ]);
    const [one, two, send] = spans.getFinishedSpans();
    for (const child of [one, two]) expect(child?.parentSpanContext?.spanId).toBe(send?.spanContext().spanId);
    expect(JSON.stringify(shown())).not.toMatch(/ann@/);
  });

  test('an outbox: a span where a mail is written down, and one at each try that is linked to it', async () => {
    const dummy = new DummyBackend({ store: true });
    dummy.failNext(new SendError('temporary', 'ann@example.org: later', { retryable: true }));
    const connection = getConnection('outbox', { store: memoryStore(), connection: dummy, retry: { delaysMs: [0] } });
    await sendMail({ ...mail, connection });
    const outbox = await connection.outbox();
    const request = tracerProvider.getTracer('test').startSpan('start of the application');
    await inSpan(request, () => outbox.flush());
    const [first] = await outbox.list();
    await connection.close();

    const ofOutbox = (name: string, type: string) => ({
      'messaging.system': 'outbox',
      'messaging.operation.name': name,
      'messaging.operation.type': type,
      'messaging.destination.name': 'transactional',
      'messaging.message.id': first?.id,
    });
    const via = { 'amsdal_mail.via': 'dummy' };
    expect(shown().filter(({ name }) => name !== 'send outbox')).toEqual([
      { name: 'enqueue transactional', attributes: ofOutbox('enqueue', 'create'), status: 0 },
      {
        name: 'send transactional',
        attributes: {
          ...{ ...ofOutbox('send', 'process'), ...via },
          ...{ 'amsdal_mail.recipients.failed': 2, 'error.type': 'temporary' },
        },
        status: 2,
      },
      {
        name: 'send transactional',
        attributes: { ...ofOutbox('send', 'process'), ...via, 'amsdal_mail.recipients.sent': 2 },
        status: 0,
      },
    ]);
    const [enqueue, call, ...tries] = spans.getFinishedSpans();
    expect(enqueue).toMatchObject({ kind: 3, parentSpanContext: { spanId: call?.spanContext().spanId } });
    const { traceId, spanId } = enqueue?.spanContext() ?? {};
    expect(tries).toHaveLength(2);
    for (const each of tries) {
      expect(each).toMatchObject({ kind: 4, links: [{ context: { traceId, spanId, isRemote: true } }] });
      expect(each.parentSpanContext).toBeUndefined();
    }
    expect(first?.traceparent).toBe(`00-${traceId}-${spanId}-01`);
    expect(JSON.stringify(dummy.messages)).not.toContain(traceId);
    expect(JSON.stringify(shown())).not.toMatch(/SECRET|ann@/);
  });

  test('an outbox whose mails nobody has traced', async () => {
    stop();
    const connection = getConnection('outbox', { store: memoryStore(), connection: 'dummy' });
    await sendMail({ ...mail, connection });
    stop = await instrumentMail({ tracerProvider, meterProvider });
    const outbox = await connection.outbox();
    await outbox.flush();
    expect((await outbox.list())[0]?.traceparent).toBeNull();
    expect(spans.getFinishedSpans()).toMatchObject([{ name: 'send transactional', links: [] }]);
    await connection.close();
  });

  test('a mail that cannot be written down: its code', async () => {
    const store = memoryStore();
    store.enqueue = () => Promise.reject(new SendError('temporary', 'disk full for ann@example.org'));
    const connection = getConnection('outbox', { store, connection: 'dummy' });
    await expect(sendMail({ ...mail, connection })).rejects.toMatchObject({ code: 'temporary' });
    expect(shown()[0]).toMatchObject({
      name: 'enqueue transactional',
      attributes: { 'error.type': 'temporary' },
      status: 2,
    });
    expect(JSON.stringify(shown())).not.toMatch(/ann@/);
    await connection.close();
  });

  test('a failure: its code, and no text', async () => {
    await using server = await SmtpServer.start({ onConnect: () => '554 5.7.1 Not you, ann@example.org' });
    const connection = new SmtpBackend({ host: server.host, port: server.port });
    await expect(sendMail({ ...mail, connection })).rejects.toMatchObject({ code: 'greeting' });
    expect(shown().map(({ name, attributes, status }) => [name, attributes['error.type'], status])).toEqual([
      ['smtp connect', 'greeting', 2],
      ['smtp deliver', 'greeting', 2],
      ['send smtp', 'greeting', 2],
    ]);
    expect(JSON.stringify(shown())).not.toMatch(/Not you|ann@/);
    expect(await points()).toMatchObject({
      'messaging.client.sent.messages': [{ 'error.type': 'greeting', value: 1 }],
      'amsdal_mail.recipients': [{ 'amsdal_mail.status': 'failed', value: 2 }],
    });
  });

  test('metrics of single mails, many, streams and blocking calls', async () => {
    const connection = new DummyBackend();
    const drafts = Array.from({ length: 5 }, (_, index) => ({ ...draft, to: `u${index}@example.org` }));
    await connection.sendMessages(drafts);
    for await (const _ of connection.stream(drafts));
    connection.sendMessagesSync(drafts);
    await sendMail({ ...mail, connection });
    const all = { 'messaging.system': 'dummy', 'messaging.operation.name': 'send', 'messaging.operation.type': 'send' };
    expect(await points()).toEqual({
      'messaging.client.operation.duration': [{ ...all, value: 4 }],
      'messaging.client.sent.messages': [{ ...all, value: 16 }],
      'amsdal_mail.recipients': [{ 'messaging.system': 'dummy', 'amsdal_mail.status': 'sent', value: 17 }],
    });
    const batches = shown().map(({ attributes }) => attributes['messaging.batch.message_count']);
    expect(batches).toEqual([5, 5, 5, undefined]);
  });

  test('nothing after it was stopped, and a send goes on as ever', async () => {
    stop();
    await sendMail({ ...mail, connection: new DummyBackend() });
    expect(shown()).toEqual([]);
  });

  test('the span is a child of the one that is active', async () => {
    const parent = tracerProvider.getTracer('test').startSpan('request');
    await inSpan(parent, () => sendMail({ ...mail, connection: new DummyBackend() }));
    expect(spans.getFinishedSpans()[0]?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
  });
});

const context_ = context.active();

/** Without a context manager nothing is active: this one says what is. */
async function inSpan(span: Span, run: () => Promise<unknown>): Promise<void> {
  context.setGlobalContextManager({
    active: () => trace.setSpan(context_, span),
    with: (_, call, self, ...rest) => call.call(self, ...rest),
    bind: (_, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
  await run();
  context.disable();
}

const draft = { subject: 's', body: 'b', fromEmail: 'shop@example.com' };
