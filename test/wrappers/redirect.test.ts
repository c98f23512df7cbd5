import { describe, expect, test } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { sendMail } from '../../src/connection/send.ts';
import { SendStatus } from '../../src/model/status.ts';
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

describe('what providers are told', () => {
  const espExtra = { resend: { to: 'ann@customer.org' }, sendgrid: { asm: { group_id: 7 } } };

  test('names no recipient that is not allowed, and keeps the rest', async () => {
    const connection = guarded({ to: TO });
    await sendMail({ ...mail, espExtra, connection });
    expect(connection.messages[0]?.espExtra).toEqual({ sendgrid: { asm: { group_id: 7 } } });
    const own = { resend: { reply_to: 'ops@example.com' } };
    const open = guarded({ to: TO, allow: ['example.com'] });
    await sendMail({ ...mail, espExtra: own, connection: open });
    expect(open.messages[0]?.espExtra).toEqual(own);
  });

  test('is another mail, with a key of its own; one that goes where it was to go keeps it', async () => {
    const connection = guarded({ to: TO, allow: ['bob@example.com'] });
    await sendMail({ ...mail, idempotencyKey: 'order-17', connection });
    await sendMail({ ...mail, recipientList: ['bob@example.com'], idempotencyKey: 'order-17', connection });
    const keys = connection.messages.map(({ idempotencyKey }) => idempotencyKey);
    expect(keys).toEqual(['order-17:redirected', 'order-17']);
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
