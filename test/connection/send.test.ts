import { afterEach, describe, expect, test, vi } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { setDefaultConnection } from '../../src/connection/connection.ts';
import { type SendMailInit, sendEach, sendMail, sendMailSync } from '../../src/connection/send.ts';
import { EmailError, MessageError, UnsupportedFeatureError } from '../../src/model/errors.ts';
import { ProbeBackend } from '../probe-backend.ts';

const PLAIN: SendMailInit = { subject: 'Hello', message: 'Text', fromEmail: 'a@x.org', recipientList: ['b@x.org'] };

afterEach(() => vi.unstubAllEnvs());

async function failure(call: () => unknown): Promise<EmailError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof EmailError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

const paths = (error: EmailError) => (error instanceof MessageError ? error.issues.map(({ path }) => path) : []);

describe('sendMail', () => {
  test('turns its arguments into a message', async () => {
    const connection = new DummyBackend({ store: true });
    const status = await sendMail({
      ...PLAIN,
      htmlMessage: '<p>',
      cc: 'c@x.org',
      tags: ['t'],
      failSilently: false,
      connection,
    });
    expect(status.getSuccessfulRecipients()).toEqual(['b@x.org', 'c@x.org']);
    expect(connection.messages[0]).toMatchObject({
      subject: 'Hello',
      body: 'Text',
      htmlBody: '<p>',
      to: ['b@x.org'],
      cc: ['c@x.org'],
      tags: ['t'],
    });
  });

  test('uses the default connection, and the default sender', async () => {
    const connection = new DummyBackend({ store: true, defaultFrom: 'shop@x.org' });
    const restore = setDefaultConnection(connection);
    const { fromEmail: _, ...anonymous } = PLAIN;
    await sendMail(anonymous);
    restore();
    expect(connection.messages[0]?.fromEmail).toBe('shop@x.org');
  });

  test('wrong settings reject, they do not throw', async () => {
    vi.stubEnv('AMSDAL_EMAIL_BACKEND', 'smpt');
    await new Promise((resolve) => setImmediate(resolve));
    const call = sendMail(PLAIN);
    await expect(call).rejects.toMatchObject({ code: 'unknown-backend' });
  });

  test.each<[object, string[]]>([
    [{ recipientList: ['nobody'] }, ['recipientList[0]']],
    [{ recipientList: 'nobody' }, ['recipientList']],
    [{ recipientList: [] }, ['recipientList']],
    [{ recipientList: undefined }, ['recipientList']],
    [{ message: undefined }, ['message']],
    [{ message: 7, htmlMessage: 8 }, ['htmlMessage', 'message']],
    [{ subject: 'a\nb', cc: ['x'] }, ['subject', 'cc[0]']],
    [{ body: 'x' }, ['body']],
    [{ to: 'b@x.org' }, ['to']],
    [{ htmlBody: '<p>' }, ['htmlBody']],
    [{ colour: 'red' }, ['colour']],
  ])("faults stand under the caller's names: %j", async (fields, expected) => {
    const init = { ...PLAIN, connection: new DummyBackend(), ...fields };
    const error = await failure(() => sendMail(init));
    expect(paths(error)).toEqual(expected);
    for (const path of expected) expect(error.message).toContain(`${path}: `);
    expect(await failure(() => sendMailSync(init))).toMatchObject({ message: error.message });
  });

  test('such a fault keeps class, stack and status', async () => {
    const error = await failure(() =>
      sendMail({ ...PLAIN, recipientList: ['nobody', 'b@x.org'], connection: new DummyBackend() }),
    );
    expect(error).toBeInstanceOf(MessageError);
    expect(error.stack).toContain('MessageError');
    expect(error.status?.recipients.get('nobody')?.status).toBe('invalid');
    const missing = await failure(() => sendMail({ ...PLAIN, templateId: 't', connection: new ProbeBackend() }));
    expect(missing).toBeInstanceOf(UnsupportedFeatureError);
  });

  test('failSilently and signal reach the connection', async () => {
    const connection = new DummyBackend();
    connection.refuse('b@x.org');
    expect(await sendMail({ ...PLAIN, connection, failSilently: true })).toMatchObject({ hasFailures: true });
    expect((await failure(() => sendMail({ ...PLAIN, connection, signal: AbortSignal.abort() }))).code).toBe('aborted');
  });
});

describe('sendEach', () => {
  const each = { subject: 'Hello', message: 'Text', fromEmail: 'a@x.org' };

  test('sends one mail to each, so that nobody sees the others', async () => {
    const connection = new DummyBackend({ store: true });
    const recipientList = ['b@x.org', { name: 'Carl', address: 'c@x.org' }];
    const done: number[] = [];
    const status = await sendEach({
      ...each,
      recipientList,
      connection,
      onProgress: ({ done: count }) => done.push(count),
    });
    expect(status.results).toHaveLength(2);
    expect(connection.messages.map(({ to, cc, bcc }) => [to, cc, bcc])).toEqual([
      [['b@x.org'], [], []],
      [['Carl <c@x.org>'], [], []],
    ]);
    expect(done).toEqual([1, 2]);
  });

  test('gives each its own merge data, however its address is written', async () => {
    const connection = new DummyBackend({ store: true });
    const mergeData = {
      'B@x.org': { name: 'Bob' },
      'jane@xn--bcher-kva.example': { name: 'Jane' },
      'z@x.org': { name: 'Zoe' },
    };
    const recipientList = ['b@X.org', 'Jane <jane@bücher.example>', 'd@x.org'];
    await sendEach({ ...each, templateId: 't', recipientList, mergeData, connection });
    expect(connection.messages.map((message) => message.mergeData)).toEqual([
      { 'B@x.org': { name: 'Bob' } },
      { 'jane@xn--bcher-kva.example': { name: 'Jane' } },
      {},
    ]);
  });

  test('gives each mail a key of its own, the same however the address is written', async () => {
    const connection = new DummyBackend({ store: true });
    const recipientList = ['b@X.org', 'Jane <jane@bücher.example>', `${'d'.repeat(64)}@x.org`, 'ü@x.org'];
    await sendEach({ ...each, recipientList, idempotencyKey: 'k'.repeat(230), connection });
    const [first, second, ...hashed] = connection.messages.map(({ idempotencyKey }) => idempotencyKey);
    expect(first).toBe(`${'k'.repeat(230)}:b@x.org`);
    expect(second).toMatch(/:jane@xn--bcher-kva\.example$|^[0-9a-f]{64}$/);
    for (const key of hashed) expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(hashed).size).toBe(2);
    expect(paths(await failure(() => sendEach({ ...each, recipientList, idempotencyKey: 'a b', connection })))).toEqual(
      ['idempotencyKey'],
    );
  });

  test('ten thousand recipients with merge data take a moment', async () => {
    const recipientList = Array.from({ length: 10_000 }, (_, index) => `u${index}@x.org`);
    const mergeData = Object.fromEntries(recipientList.map((address, index) => [address, { index }]));
    const status = await sendEach({ ...each, recipientList, mergeData, connection: new DummyBackend() });
    expect(status.getSuccessfulRecipients()).toHaveLength(10_000);
  });

  test.each<[object, string[]]>([
    [{ recipientList: [] }, ['recipientList']],
    [{ recipientList: 'b@x.org' }, ['recipientList']],
    [{ recipientList: ['b@x.org'], cc: 'c@x.org', bcc: 'd@x.org' }, ['cc', 'bcc']],
    [{ recipientList: ['b@x.org'], messageId: 'a@x.org' }, ['messageId']],
    [{ recipientList: ['nobody'] }, ['recipientList[0]']],
  ])('refuses %j', async (fields, expected) => {
    const init = { ...each, recipientList: [], connection: new DummyBackend(), ...fields };
    expect(paths(await failure(() => sendEach(init)))).toEqual(expected);
  });

  test('one bad recipient does not stop the others', async () => {
    const recipientList = ['b@x.org', 'nobody', 'd@x.org'];
    const status = await sendEach({ ...each, recipientList, connection: new DummyBackend(), failSilently: true });
    expect(status.getSuccessfulRecipients()).toEqual(['b@x.org', 'd@x.org']);
    expect(status.recipients.get('nobody')?.status).toBe('invalid');
  });

  test('an undefined cc is as good as none', async () => {
    const init = { ...each, recipientList: ['b@x.org'], connection: new DummyBackend(), cc: undefined };
    expect((await sendEach(init)).isSuccess).toBe(true);
  });
});
