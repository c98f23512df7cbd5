import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../../src/mime/compose/compose.ts';
import { generateMessageId } from '../../../src/mime/compose/message-id.ts';
import { EmailMessage } from '../../../src/model/message.ts';
import type { EmailMessageInit } from '../../../src/model/message-init.ts';

const PLAIN = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: ['b@x.org', 'c@x.org'] };
const idOf = (changes: Partial<EmailMessageInit>) => generateMessageId(new EmailMessage({ ...PLAIN, ...changes }));
const KEY = { idempotencyKey: 'order-17' };

describe('without a key', () => {
  test('two mails have two ids', () => {
    expect(idOf({})).not.toBe(idOf({}));
  });
});

describe('with a key', () => {
  const same: [string, Partial<EmailMessageInit>][] = [
    ['the next day', { date: new Date(0) }],
    ['another text', { body: 'other', subject: 'other' }],
    ['another order of recipients', { to: ['c@x.org', 'b@x.org'] }],
    ['another spelling', { to: ['Carl <C@X.org>', 'b@x.org'], fromEmail: 'Shop <a@X.ORG>' }],
  ];
  test.each(same)('the same: %s', (_, changes) => {
    expect(idOf({ ...KEY, ...changes }).toLowerCase()).toBe(idOf(KEY));
  });

  const other: [string, Partial<EmailMessageInit>][] = [
    ['another key', { idempotencyKey: 'order-18' }],
    ['another recipient', { to: ['b@x.org'] }],
    ['another domain of the sender', { fromEmail: 'a@y.org' }],
  ];
  test.each(other)('not the same: %s', (_, changes) => {
    expect(idOf({ ...KEY, ...changes })).not.toBe(idOf(KEY));
  });

  test('stands in the mail, and does not tell the key', () => {
    const source = new TextDecoder().decode(composeMessage(new EmailMessage({ ...PLAIN, ...KEY })));
    expect(source).toContain(`Message-ID: <${idOf(KEY)}>`);
    expect(source).not.toContain('order-17');
  });
});
