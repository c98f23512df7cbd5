import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EmailBackend } from '../../src/backend.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { getConnection, setDefaultConnection } from '../../src/connection.ts';
import { deliverEach } from '../../src/deliver-each.ts';
import { type DeliveryResult, type Job, recipientStatus, sameForAll } from '../../src/delivery.ts';
import type { EmailError } from '../../src/errors.ts';
import { AfterSend, BeforeSend } from '../../src/mail-events.ts';
import { sendEach, sendMail, sendMailSync } from '../../src/send.ts';
import { setEnvironment } from '../../src/settings.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { type MessageResult, SendStatus } from '../../src/status.ts';
import { type RedirectOptions, redirect } from '../../src/wrappers/redirect.ts';

const TO = 'staging@example.net';
const mail = {
  subject: 'Hello',
  message: 'Text',
  fromEmail: 'shop@example.com',
  recipientList: ['Ann <ann@customer.org>', 'bob@example.com'],
};

const guarded = (options: RedirectOptions) => redirect(new DummyBackend({ store: true }), options);

describe('who gets the mail', () => {
  const all = { recipientList: ['Ann <ann@customer.org>'], cc: ['bob@example.com'], bcc: ['eve@customer.org'] };
  const cases: [string, RedirectOptions, object, object, string | undefined][] = [
    [
      'everybody is replaced',
      { to: TO },
      all,
      { to: [TO], cc: [], bcc: [] },
      'ann@customer.org, bob@example.com, 1 Bcc',
    ],
    [
      'an allowed domain keeps its place',
      { to: TO, allow: ['example.com'] },
      all,
      { to: [TO], cc: ['bob@example.com'], bcc: [] },
      'ann@customer.org, 1 Bcc',
    ],
    [
      'an allowed address, whatever its case',
      { to: TO, allow: ['Bob@EXAMPLE.com', '@example.org'] },
      all,
      { to: [TO], cc: ['bob@example.com'], bcc: [] },
      'ann@customer.org, 1 Bcc',
    ],
    [
      'a subdomain is another domain',
      { to: TO, allow: ['example.com'] },
      { recipientList: ['a@sub.example.com', 'b@notexample.com'] },
      { to: [TO] },
      'a@sub.example.com, b@notexample.com',
    ],
    [
      'all allowed: the mail is as it was',
      { to: TO, allow: ['customer.org', 'example.com'] },
      all,
      { to: ['Ann <ann@customer.org>'], cc: ['bob@example.com'], bcc: ['eve@customer.org'] },
      undefined,
    ],
    [
      'a blind copy alone',
      { to: TO },
      { bcc: ['eve@customer.org', 'mallory@customer.org'] },
      { to: [TO], bcc: [] },
      '2 Bcc',
    ],
    [
      'who is allowed stays a blind copy',
      { to: TO, allow: ['eve@customer.org'] },
      all,
      { to: [TO], cc: [], bcc: ['eve@customer.org'] },
      'ann@customer.org, bob@example.com',
    ],
    [
      'a group keeps its allowed members',
      { to: TO, allow: ['example.com'] },
      { recipientList: ['Team: ann@customer.org, bob@example.com;'] },
      { to: [TO, 'bob@example.com'] },
      'ann@customer.org',
    ],
    [
      'without an address, the others are held back',
      { allow: ['example.com'] },
      all,
      { to: [], cc: ['bob@example.com'], bcc: [] },
      'ann@customer.org, 1 Bcc',
    ],
    [
      'a Unicode domain',
      { to: TO, allow: ['bücher.example'] },
      { recipientList: ['a@xn--bcher-kva.example'], cc: ['b@bücher.example'] },
      { to: ['a@xn--bcher-kva.example'], cc: ['b@bücher.example'] },
      undefined,
    ],
  ];
  test.each(cases)('%s', async (_, options, recipients, expected, original) => {
    const connection = guarded(options);
    const { recipientList: __, ...rest } = mail;
    await sendMail({ ...rest, ...recipients, connection });
    const [message] = connection.messages;
    expect(message).toMatchObject(expected);
    expect(message?.headers['X-Original-To']).toBe(original);
  });

  test('nobody at all: failed and cancelled, not thrown, not sent', async () => {
    const connection = guarded({ allow: ['nobody.example'] });
    const status = await sendMail({ ...mail, connection });
    expect(connection.messages).toEqual([]);
    for (const address of ['ann@customer.org', 'bob@example.com']) {
      expect(status.recipients.get(address)).toMatchObject({ address, status: 'failed', code: 'cancelled' });
    }
  });

  test('sender, subject and body stay; what names recipients elsewhere goes', async () => {
    const connection = guarded({ to: TO });
    await sendMail({
      ...mail,
      connection,
      envelopeSender: 'bounces@example.com',
      replyTo: 'help@example.com',
      headers: { 'X-Campaign': '7', 'x-original-to': 'forged@customer.org' },
      dsn: { notify: ['failure'], orcpt: 'rfc822;ann@customer.org' },
      templateId: 'welcome',
      mergeData: { 'ann@customer.org': { name: 'Ann' }, 'bob@example.com': { name: 'Bob' } },
    });
    expect(connection.messages[0]).toMatchObject({
      subject: 'Hello',
      body: 'Text',
      fromEmail: 'shop@example.com',
      envelopeSender: TO,
      replyTo: ['help@example.com'],
      headers: { 'X-Campaign': '7', 'X-Original-To': 'ann@customer.org, bob@example.com' },
      dsn: { notify: ['failure'] },
      mergeData: { [TO]: { name: 'Ann' } },
    });
    expect(connection.messages[0]?.dsn).not.toHaveProperty('orcpt');
    expect(JSON.stringify(connection.messages[0]?.headers)).not.toContain('forged');
  });
});

describe('what sends an answer', () => {
  const answers = {
    'Errors-To': 'ann@customer.org',
    'disposition-notification-to': 'Ann <ann@customer.org>',
    'Return-Receipt-To': 'ann@customer.org, bob@example.com',
    'X-Confirm-Reading-To': 'ann@customer.org',
    'X-Campaign': '7',
  };
  const fields = { envelopeSender: 'ann@customer.org', headers: answers, recipientList: ['bob@example.com'] };

  test('sends it to the target, and to nobody without one, whoever gets the mail', async () => {
    for (const recipientList of [['bob@example.com'], ['ann@customer.org', 'bob@example.com']]) {
      const redirected = guarded({ to: TO, allow: ['example.com'] });
      await sendMail({ ...mail, ...fields, recipientList, connection: redirected });
      expect(redirected.messages[0]).toMatchObject({
        envelopeSender: TO,
        headers: {
          'Errors-To': TO,
          'disposition-notification-to': TO,
          'Return-Receipt-To': TO,
          'X-Confirm-Reading-To': TO,
          'X-Campaign': '7',
        },
      });
      const heldBack = guarded({ allow: ['example.com'] });
      await sendMail({ ...mail, ...fields, recipientList, connection: heldBack });
      const { 'X-Original-To': _, ...headers } = heldBack.messages[0]?.headers ?? {};
      expect([heldBack.messages[0]?.envelopeSender, headers]).toEqual(['', { 'X-Campaign': '7' }]);
    }
  });

  test('stays where it is allowed, and a null sender does', async () => {
    const connection = guarded({ to: TO, allow: ['example.com'] });
    const own = { 'Errors-To': 'ops@example.com', 'Disposition-Notification-To': 'Ops <ops@example.com>' };
    await sendMail({ ...mail, ...fields, envelopeSender: 'bounces@example.com', headers: own, connection });
    await sendMail({ ...mail, ...fields, envelopeSender: '', headers: {}, connection });
    expect(connection.messages).toMatchObject([
      { envelopeSender: 'bounces@example.com', headers: own },
      { envelopeSender: '', headers: {} },
    ]);
  });
});

describe('what tells a provider of further recipients', () => {
  const further: readonly (readonly [string, string])[] = [
    ['X-SMTPAPI', '{"category":"welcome","to":["ann@customer.org"]}'],
    ['x-smtpapi', '{"filters":{"bcc":{"settings":{"enable":1,"email":"Ann <ann@customer.org>"}}}}'],
    ['X-SMTPAPI', '{"to":["ann\\u0040customer.org"]}'],
    ['X-MSYS-API', '{"archive":[{"email":"bob@example.com"},{"email":"ann@customer.org"}]}'],
    ['X-MC-BccAddress', 'ann@customer.org'],
  ];

  test.each(further)('%s: %s is left out', async (name, value) => {
    for (const recipientList of [['bob@example.com'], ['ann@customer.org', 'bob@example.com']]) {
      for (const options of [{ to: TO, allow: ['example.com'] }, { allow: ['example.com'] }]) {
        const connection = guarded(options);
        await sendMail({ ...mail, recipientList, headers: { [name]: value, 'X-Campaign': '7' }, connection });
        const { 'X-Original-To': _, ...headers } = connection.messages[0]?.headers ?? {};
        expect(headers).toEqual({ 'X-Campaign': '7' });
      }
    }
  });

  test('stays where it names nobody, or those who are allowed', async () => {
    const connection = guarded({ allow: ['example.com'] });
    const headers = { 'X-SMTPAPI': '{"category":"welcome","to":["bob@example.com"]}', 'X-MSYS-API': '{"options":{}}' };
    await sendMail({ ...mail, recipientList: ['bob@example.com'], headers, connection });
    expect(connection.messages[0]?.headers).toEqual(headers);
  });
});

describe('the status speaks of the original recipients', () => {
  test('they have what became of the mail to the redirect address', async () => {
    const connection = guarded({ to: TO });
    const sent = await sendMail({ ...mail, connection });
    expect([...sent.recipients.keys()]).toEqual(['ann@customer.org', 'bob@example.com']);
    expect(sent.isSuccess).toBe(true);
    connection.refuse(TO, 550, '5.1.1');
    const refused = await sendMail({ ...mail, connection, failSilently: true });
    expect(refused.recipients.get('ann@customer.org')).toMatchObject({
      status: 'invalid',
      address: 'ann@customer.org',
    });
  });

  test('the allowed ones their own, those held back that they were', async () => {
    const connection = guarded({ allow: ['example.com'] });
    const status = await sendMail({ ...mail, connection });
    expect(status.recipients.get('bob@example.com')).toMatchObject({ status: 'sent' });
    expect(status.recipients.get('ann@customer.org')).toMatchObject({ status: 'failed', code: 'cancelled' });
  });

  test('in streams and blocking calls, too', async () => {
    const connection = guarded({ to: TO, allow: ['allowed.example'] });
    const drafts = ['a@customer.org', 'b@allowed.example', 'c@customer.org'].map((address) => ({
      subject: 's',
      body: 'b',
      fromEmail: 'shop@example.com',
      to: address,
    }));
    const streamed: string[] = [];
    for await (const { recipients } of connection.stream(drafts)) streamed.push(...recipients.keys());
    expect(streamed.toSorted()).toEqual(['a@customer.org', 'b@allowed.example', 'c@customer.org']);
    const status = connection.sendMessagesSync(drafts);
    expect([...status.recipients.keys()]).toEqual(['a@customer.org', 'b@allowed.example', 'c@customer.org']);
    expect(connection.messages.map(({ to }) => to[0])).toEqual([
      TO,
      'b@allowed.example',
      TO,
      TO,
      'b@allowed.example',
      TO,
    ]);
    const heldBack = guarded({ allow: ['allowed.example'] }).sendMessagesSync(drafts);
    expect([...heldBack.recipients.values()].map(({ status: each }) => each)).toEqual(['failed', 'sent', 'failed']);
  });

  test('what is held back is told at once, and no more is read than is taken', async () => {
    const connection = guarded({ allow: ['allowed.example'] });
    let read = 0;
    let isClosed = false;
    async function* endless() {
      try {
        for (;;) yield { subject: 's', body: 'b', fromEmail: 'a@example.com', to: `${read++}@customer.org` };
      } finally {
        isClosed = true;
      }
    }
    const told: string[] = [];
    for await (const { recipients } of connection.stream(endless())) {
      told.push(...recipients.keys());
      expect(read).toBeLessThan(told.length + 5);
      if (told.length === 20) break;
    }
    expect(told).toEqual(Array.from({ length: 20 }, (_, index) => `${index}@customer.org`));
    expect(isClosed).toBe(true);
  });

  test('a stream can be left while its source is silent', async () => {
    class Parallel extends DummyBackend {
      protected override deliver(jobs: AsyncIterable<Job>): AsyncIterable<DeliveryResult> {
        const send = async ({ index, message }: Job) => ({
          index,
          messageId: null,
          recipients: sameForAll(message, 'sent'),
        });
        return deliverEach(jobs, send, 2);
      }
    }
    async function* silent() {
      yield { subject: 's', body: 'b', fromEmail: 'a@example.com', to: 'b@allowed.example' };
      await new Promise(() => {});
    }
    const seen: string[] = [];
    for await (const { recipients } of redirect(new Parallel(), { allow: ['allowed.example'] }).stream(silent())) {
      seen.push(...recipients.keys());
      break;
    }
    expect(seen).toEqual(['b@allowed.example']);
  });

  test('what was held back stays so when the backend fails after it', async () => {
    class Failing extends DummyBackend {
      protected override async *deliver(jobs: AsyncIterable<Job>): AsyncGenerator<DeliveryResult> {
        for await (const _ of jobs) throw new Error('out of order');
        yield* [];
      }
    }
    const connection = redirect(new Failing(), { allow: ['allowed.example'] });
    const drafts = ['a@customer.org', 'b@allowed.example'].map((to) => ({
      subject: 's',
      body: 'b',
      fromEmail: 'a@example.com',
      to,
    }));
    const results: (string | undefined)[] = [];
    for await (const { recipients } of connection.stream(drafts)) results.push([...recipients.values()][0]?.status);
    expect(results).toEqual(['failed', 'unknown']);
  });

  test('who was held back is not in doubt when the backend fails with the rest of the mail', async () => {
    class Failing extends DummyBackend {
      protected override async *deliver(jobs: AsyncIterable<Job>): AsyncGenerator<DeliveryResult> {
        for await (const _ of jobs) throw new Error('out of order');
        yield* [];
      }
    }
    const connection = redirect(new Failing(), { allow: ['example.com'] });
    const error = await sendMail({ ...mail, connection }).catch((thrown: unknown) => thrown);
    const statuses = [...((error as EmailError).status?.recipients.values() ?? [])];
    expect(statuses.map(({ address, status }) => [address, status])).toEqual([
      ['ann@customer.org', 'failed'],
      ['bob@example.com', 'unknown'],
    ]);
  });

  test('listeners see the mail as it was meant, and change it before the guard', async () => {
    const seen: unknown[] = [];
    const stop = [
      BeforeSend.subscribe(({ message, ...context }, next) =>
        next({ ...context, message: message.with({ cc: ['boss@customer.org'] }) }),
      ),
      AfterSend.subscribe((context, next) => {
        seen.push(context.message.to, [...context.result.recipients.keys()]);
        return next(context);
      }),
    ];
    const connection = guarded({ to: TO });
    await sendMail({ ...mail, recipientList: 'ann@customer.org', connection });
    for (const each of stop) each();
    expect(connection.messages[0]).toMatchObject({ to: [TO], cc: [] });
    expect(seen).toEqual([['ann@customer.org'], ['ann@customer.org', 'boss@customer.org']]);
  });

  test('what a backend answers of nobody known counts as unknown', async () => {
    class Garbling extends DummyBackend {
      protected override deliver(jobs: AsyncIterable<Job>): AsyncIterable<DeliveryResult> {
        return deliverEach(jobs, ({ index }) => ({
          index,
          messageId: null,
          recipients: new Map([['?', recipientStatus('?', 'sent')]]),
        }));
      }
    }
    const connection = redirect(new Garbling(), { to: TO });
    await expect(sendMail({ ...mail, connection })).rejects.toMatchObject({ outcome: 'unknown' });
  });
});

describe('a guard that would not guard is refused', () => {
  test.each([
    [{}, 'missing-option', 'an address to redirect to'],
    [{ to: 'nobody' }, 'invalid-option', "'nobody' is no address or domain"],
    [{ to: '' }, 'invalid-option', 'is no address'],
    [{ to: TO, allow: ['a b'] }, 'invalid-option', 'is no address or domain'],
    [{ to: TO, allow: ['*@example.com'] }, 'invalid-option', 'write @example.com for all of a domain'],
    [{ to: TO, allow: [''] }, 'invalid-option', 'is no address or domain'],
  ])('%j', (options, code, text) => {
    expect(() => guarded(options)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) }));
  });

  test('an object that only has sendMessages', () => {
    const fake = { sendMessages: () => {} };
    // @ts-expect-error: for who writes JavaScript
    expect(() => redirect(fake, { to: TO })).toThrow(expect.objectContaining({ code: 'invalid-backend' }));
  });

  test('a backend whose sendMessages is its own', () => {
    class Own extends DummyBackend {
      override sendMessages(): Promise<SendStatus> {
        return Promise.resolve(new SendStatus([]));
      }
    }
    expect(() => redirect(new Own(), { to: TO })).toThrow(
      expect.objectContaining({ code: 'invalid-backend', message: expect.stringContaining('override deliver') }),
    );
  });
});

describe('AMSDAL_EMAIL_REDIRECT_TO and AMSDAL_EMAIL_ALLOW', () => {
  beforeEach(() => {
    for (const name of Object.keys(process.env)) if (/^(?:AMSDAL|AWS)_/.test(name)) vi.stubEnv(name, undefined);
    vi.stubEnv('AMSDAL_EMAIL_REDIRECT_TO', ` ${TO} `);
  });
  afterEach(() => vi.unstubAllEnvs());

  class CustomBackend extends EmailBackend {
    readonly name = 'custom';
    protected readonly features = new Set<never>();
    readonly seen: string[] = [];

    protected deliver(jobs: AsyncIterable<Job>): AsyncIterable<DeliveryResult> {
      return deliverEach(jobs, async ({ index, message }) => {
        this.seen.push(...message.recipients.map(({ address }) => address));
        return { index, messageId: null, recipients: sameForAll(message, 'sent') };
      });
    }
  }

  test('guard connections by name, class, and those that become the default', async () => {
    const named = getConnection('dummy', { store: true });
    const custom = getConnection(CustomBackend);
    const own = new CustomBackend();
    const restore = setDefaultConnection(own);
    await sendMail({ ...mail, connection: named });
    await sendMail({ ...mail, connection: custom });
    await sendMail(mail);
    restore();
    expect(named.messages.map(({ to }) => to)).toEqual([[TO]]);
    expect([custom.seen, own.seen]).toEqual([[TO], [TO]]);
  });

  test('guard instances, connections older than the variable, and those of before a file was read', async () => {
    const file = { file: { AMSDAL_EMAIL_REDIRECT_TO: TO } };
    vi.stubEnv('AMSDAL_EMAIL_REDIRECT_TO', undefined);
    const early = new CustomBackend();
    const made = getConnection(CustomBackend);
    const chosen = new CustomBackend();
    const restore = [setDefaultConnection(chosen)];
    await early.sendMessages([{ subject: 'Free', body: '', fromEmail: 'a@example.com', to: 'free@example.com' }]);
    restore.unshift(setEnvironment(file));
    await sendMail({ ...mail, connection: early });
    await early.sendMessages([{ subject: 'Hi', body: '', fromEmail: 'a@example.com', to: 'ann@customer.org' }]);
    for await (const _ of early.stream([{ subject: 'Hi', body: '', fromEmail: 'a@x.org', to: 'ann@customer.org' }]));
    await sendMail({ ...mail, connection: made });
    await sendMail(mail);
    expect([early.seen, made.seen, chosen.seen]).toEqual([['free@example.com', TO, TO, TO], [TO], [TO]]);
    for (const undo of restore) undo();

    vi.stubEnv('AMSDAL_EMAIL_REDIRECT_TO', 'staging');
    await expect(sendMail({ ...mail, connection: early })).rejects.toThrow(/AMSDAL_EMAIL_REDIRECT_TO.*is no address/);
    expect(() => early.sendMessagesSync([{ subject: '', body: '', fromEmail: 'a@x.org', to: 'b@x.org' }])).toThrow(
      /AMSDAL_EMAIL_REDIRECT_TO/,
    );
    expect(early.seen).toHaveLength(4);
  });

  test('a backend whose own methods send is refused while it is set', async () => {
    class Own extends CustomBackend {
      override stream(): AsyncIterableIterator<MessageResult> {
        return super.stream([]);
      }
    }
    const refused = expect.objectContaining({
      code: 'invalid-backend',
      message: expect.stringMatching(/^Own overrides/),
    });
    expect(() => new Own()).toThrow(refused);
    expect(() => getConnection(Own)).toThrow(refused);
    vi.stubEnv('AMSDAL_EMAIL_REDIRECT_TO', undefined);
    const early = new Own();
    expect((await sendMail({ ...mail, connection: early })).isSuccess).toBe(true);
    vi.stubEnv('AMSDAL_EMAIL_REDIRECT_TO', TO);
    expect(() => sendMailSync({ ...mail, connection: early })).toThrow(refused);
    const wrapped = new CustomBackend();
    wrapped.sendMessages = (messages) => CustomBackend.prototype.sendMessages.call(wrapped, messages);
    await expect(sendMail({ ...mail, connection: wrapped })).rejects.toThrow(/sendMessages/);
  });

  test('allow by variable, with spaces', async () => {
    vi.stubEnv('AMSDAL_EMAIL_ALLOW', '@example.com, qa@example.org');
    const connection = getConnection('dummy', { store: true });
    await sendMail({ ...mail, connection });
    expect(connection.messages[0]?.to).toEqual([TO, 'bob@example.com']);
  });

  test.each([
    ['AMSDAL_EMAIL_REDIRECT_TO', '', 'it is empty'],
    ['AMSDAL_EMAIL_REDIRECT_TO', '  ', 'it is empty'],
    ['AMSDAL_EMAIL_REDIRECT_TO', 'staging', "'staging' is no address"],
    ['AMSDAL_EMAIL_REDIRECT_TO', 'a@example.com, b@example.com', 'is no address'],
    ['AMSDAL_EMAIL_ALLOW', '', 'it is empty'],
    ['AMSDAL_EMAIL_ALLOW', 'example.com,,x', 'is no address or domain'],
    ['AMSDAL_EMAIL_ALLOW', '*', "'*' has a '*'"],
  ])('%s=%s is an error, and no way to send unguarded', (variable, value, text) => {
    vi.stubEnv(variable, value);
    for (const connect of [() => getConnection('dummy'), () => getConnection('smtp://h'), () => sendMailSync(mail)]) {
      expect(connect).toThrow(
        expect.objectContaining({
          code: 'invalid-option',
          message: expect.stringMatching(new RegExp(`^${variable}: .*; for example ${variable}=`)),
        }),
      );
      expect(connect).toThrow(text);
    }
  });

  test('a thousand mails over SMTP reach the redirect address only', async () => {
    const envelopes: string[] = [];
    const headers: string[] = [];
    await using server = await SmtpServer.start({
      onRcpt: (address) => {
        envelopes.push(address);
        return undefined;
      },
      onMessage: ({ bytes }) => {
        headers.push(Buffer.from(bytes).toString('latin1').split('\r\n\r\n', 1)[0] ?? '');
        return undefined;
      },
    });
    await using connection = getConnection(`smtp://${server.host}:${server.port}`);
    const drafts = Array.from({ length: 1_000 }, (_, index) => ({
      subject: `Mail ${index}`,
      body: 'b',
      fromEmail: 'shop@example.com',
      to: `to${index}@customer.org`,
      ...(index % 3 === 0 && { cc: [`cc${index}@customer.org`] }),
      ...(index % 2 === 0 && { bcc: [`bcc${index}@customer.org`] }),
      ...(index % 5 === 0 && { envelopeSender: 'bounces@example.com' }),
    }));
    const status = await connection.sendMessages(drafts);
    expect(status.isSuccess).toBe(true);
    expect(status.recipients.size).toBe(1_000 + 334 + 500);
    expect(envelopes).toHaveLength(1_000);
    expect(new Set(envelopes)).toEqual(new Set([TO]));
    const addressed = headers.flatMap((text) => text.match(/^(?:To|Cc|Bcc):.*(?:\r\n[ \t].*)*/gim) ?? []);
    expect(new Set(addressed)).toEqual(new Set([`To: ${TO}`]));
    expect(headers.join()).not.toMatch(/bcc\d+@customer/);
    expect(headers.filter((text) => /^X-Original-To: to4@customer\.org, 1 Bcc$/m.test(text))).toHaveLength(1);
  });

  test('blocking calls cross the guard before they cross to the worker', async () => {
    const envelopes: string[] = [];
    await using server = await SmtpServer.start({
      onRcpt: (address) => {
        envelopes.push(address);
        return undefined;
      },
    });
    const script = fileURLToPath(new URL('blocking-child.js', import.meta.url));
    vi.stubEnv('AMSDAL_EMAIL_URL', `smtp://${server.host}:${server.port}`);
    vi.stubEnv('AMSDAL_EMAIL_ALLOW', 'allowed.example');
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    expect(JSON.parse(stdout)).toEqual({
      'ann@customer.org': 'sent',
      'bob@allowed.example': 'sent',
      'eve@customer.org': 'sent',
    });
    expect(envelopes.toSorted()).toEqual(['bob@allowed.example', TO]);
  });

  test('sendEach is guarded mail by mail', async () => {
    const connection = getConnection('dummy', { store: true });
    await sendEach({ ...mail, connection });
    expect(connection.messages.map(({ to, headers }) => [...to, headers['X-Original-To']])).toEqual([
      [TO, 'ann@customer.org'],
      [TO, 'bob@example.com'],
    ]);
  });
});
