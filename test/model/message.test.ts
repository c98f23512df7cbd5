import { describe, expect, test } from 'vitest';
import { Attachment } from '../../src/model/attachment.ts';
import { MessageError } from '../../src/model/errors.ts';
import { EmailMessage, withIdAndDate } from '../../src/model/message.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';

const PLAIN: EmailMessageInit = { subject: 'Hello', body: 'Text', fromEmail: 'a@x.org', to: 'b@x.org' };

describe('fields', () => {
  test('of a minimal message have their defaults', () => {
    expect({ ...new EmailMessage(PLAIN) }).toEqual({
      subject: 'Hello',
      body: 'Text',
      fromEmail: 'a@x.org',
      to: ['b@x.org'],
      cc: [],
      bcc: [],
      replyTo: [],
      htmlBody: null,
      attachments: [],
      alternatives: [],
      headers: {},
      tags: [],
      metadata: {},
      templateId: null,
      mergeData: null,
      mergeGlobalData: null,
      trackOpens: false,
      trackClicks: false,
      envelopeSender: null,
      date: null,
      messageId: null,
      inReplyTo: null,
      references: [],
      priority: null,
      autoText: false,
      inlineImages: false,
      listUnsubscribe: null,
      dsn: null,
      requireTls: false,
      sendAt: null,
      idempotencyKey: null,
      espExtra: null,
    });
  });

  const cases: [keyof EmailMessage, unknown, unknown][] = [
    ['subject', '', ''],
    ['subject', 'Größe 😀', 'Größe 😀'],
    ['subject', 'Order\t7\u0092s', 'Order 7\u0092s'],
    ['to', 'Jane\tDoe\u0092s <j@x.org>', ['"Jane Doe\u0092s" <j@x.org>']],
    ['to', '"Doe,\tJane"\t<j@x.org>', ['"Doe, Jane" <j@x.org>']],
    ['to', { name: 'Doe\tJane', address: 'j@x.org' }, ['Doe Jane <j@x.org>']],
    ['cc', 'My\tteam: a@x.org,\tb@x.org;', ['My team: a@x.org, b@x.org;']],
    ['headers', { 'X-A': 'a\tb' }, { 'X-A': 'a b' }],
    ['tags', ['a\tb'], ['a b']],
    ['inReplyTo', '<a$@b@c.example>', 'a$@b@c.example'],
    ['inReplyTo', ' <a@x.org>\r\n <b@x.org> ', 'a@x.org b@x.org'],
    ['inReplyTo', 'a@x.org\tb@x.org', 'a@x.org b@x.org'],
    ['inReplyTo', 'Your mail of Monday < a..b@[x >', 'a..b@[x'],
    ['inReplyTo', '<a b@x.org>', null],
    ['inReplyTo', '<größe@x.org>', null],
    ['inReplyTo', `<${'x'.repeat(901)}@x.org>`, null],
    ['inReplyTo', '', null],
    ['references', '<a@x.org>\r\n\t<no-at> <b@c@x.org><d@x.org>', ['a@x.org', 'no-at', 'b@c@x.org', 'd@x.org']],
    ['references', ['a@x.org b@x.org', '<c@x.org>', '<>', 'd>', 'e\0'], ['a@x.org', 'b@x.org', 'c@x.org']],
    ['body', '', ''],
    ['body', 'a\r\nb\0', 'a\r\nb\0'],
    ['fromEmail', { name: 'Doe, Jane', address: 'j@x.org' }, '"Doe, Jane" <j@x.org>'],
    ['fromEmail', 'Jane <j@x.org>', 'Jane <j@x.org>'],
    ['to', 'Doe <j@x.org>', ['Doe <j@x.org>']],
    ['to', ['a@x.org', { address: 'b@x.org' }], ['a@x.org', 'b@x.org']],
    ['cc', 'Team: a@x.org, b@x.org;', ['Team: a@x.org, b@x.org;']],
    ['bcc', { name: 'Z', address: 'z@x.org' }, ['Z <z@x.org>']],
    ['replyTo', ['r@x.org'], ['r@x.org']],
    ['htmlBody', '<p>', '<p>'],
    ['alternatives', [{ content: 'BEGIN:VCALENDAR', mimetype: 'text/calendar; method=REQUEST' }], 'same'],
    ['headers', { 'X-A': 'b', 'List-Id': '<l.x.org>' }, 'same'],
    ['tags', ['a', 'b', 'a'], ['a', 'b']],
    ['metadata', { order: '7', Größe: 'ü' }, 'same'],
    ['templateId', 't1', 't1'],
    ['mergeData', { 'b@x.org': { name: 'Bob', items: [1, { a: null }] } }, 'same'],
    ['mergeGlobalData', { when: new Date(0), skip: undefined }, { when: '1970-01-01T00:00:00.000Z' }],
    ['trackOpens', true, true],
    ['trackClicks', true, true],
    ['envelopeSender', 'Bounces <bounce@x.org>', 'bounce@x.org'],
    ['envelopeSender', '', ''],
    ['date', new Date(86_400_000), new Date(86_400_000)],
    ['messageId', '<id.1@x.org>', 'id.1@x.org'],
    ['messageId', 'id.1@[192.0.2.1]', 'id.1@[192.0.2.1]'],
    ['inReplyTo', '<q@x.org>', 'q@x.org'],
    ['references', '<a@x.org>', ['a@x.org']],
    ['references', ['<a@x.org>', 'b@x.org'], ['a@x.org', 'b@x.org']],
    ['priority', 'low', 'low'],
    ['autoText', true, true],
    ['inlineImages', true, true],
    ['listUnsubscribe', { url: 'https://x.org/u?a=b', mailto: 'u@x.org', oneClick: true }, 'same'],
    ['listUnsubscribe', { mailto: 'mailto:u@x.org?subject=stop' }, 'same'],
    ['dsn', { notify: ['success', 'delay'], ret: 'headers', envid: 'e 1', orcpt: 'rfc822;o@x.org' }, 'same'],
    ['dsn', { notify: 'never' }, 'same'],
    ['requireTls', true, true],
    ['sendAt', new Date(86_400_000), new Date(86_400_000)],
    ['idempotencyKey', 'order-17/receipt', 'order-17/receipt'],
    ['idempotencyKey', 'k'.repeat(256), 'k'.repeat(256)],
    ['espExtra', { resend: { topic_id: 't', list: [1, { a: null }] } }, 'same'],
  ];
  test.each(cases)('%s: %j reads back as %j', (field, value, expected) => {
    expect(new EmailMessage({ ...PLAIN, [field]: value })[field]).toEqual(expected === 'same' ? value : expected);
  });

  const optional = Object.keys(new EmailMessage(PLAIN)).filter((field) => !(field in PLAIN));
  test.each(optional)('%s: null and undefined are as good as left out', (field) => {
    const left = new EmailMessage(PLAIN);
    for (const nothing of [null, undefined]) expect(new EmailMessage({ ...PLAIN, [field]: nothing })).toEqual(left);
  });
});

describe('deeply readonly', () => {
  test('every object and list is frozen, and a copy of what was given', () => {
    const given = {
      to: ['b@x.org'],
      attachments: [{ filename: 'a.txt', content: 'x' }],
      alternatives: [{ content: 'x', mimetype: 'text/calendar' }],
      headers: { 'X-A': 'b' },
      tags: ['a'],
      metadata: { a: 'b' },
      mergeData: { 'b@x.org': { list: [{ deep: 1 }] } },
      mergeGlobalData: { list: [{ deep: 1 }] },
      references: ['a@x.org'],
      listUnsubscribe: { url: 'https://x.org' },
      dsn: { notify: ['success' as const] },
      date: new Date(1_000),
    };
    const message = new EmailMessage({ ...PLAIN, ...given });
    const before = JSON.stringify(message);
    given.to.push('evil@x.org');
    given.headers['X-A'] = 'evil';
    given.tags.push('evil');
    given.mergeData['b@x.org'].list.push({ deep: 2 });
    given.dsn.notify.pop();
    given.listUnsubscribe.url = 'https://evil.example';
    given.date.setTime(5);
    expect(JSON.stringify(message)).toBe(before);
    const { date: _, ...rest } = message;
    expect(Object.isFrozen(message)).toBe(true);
    expect(findThawed({ ...rest, parsed: message.parsed, recipients: message.recipients })).toEqual([]);
  });

  test.each([
    ['as it is made', (message: EmailMessage) => message],
    [
      'with the id and date that a wrapper gives it',
      (message: EmailMessage) => withIdAndDate(message, '<a@x.org>', new Date(1_000)),
    ],
  ])('dates that are taken out and changed do not change the message: %s', (_, from) => {
    const message = from(new EmailMessage({ ...PLAIN, date: new Date(1_000), sendAt: new Date(2_000) }));
    message.date?.setTime(5);
    message.sendAt?.setTime(5);
    for (const { date, sendAt } of [message, message.with({})]) {
      expect([date, sendAt]).toEqual([new Date(1_000), new Date(2_000)]);
    }
    expect(message.toJSON()).toMatchObject({ date: '1970-01-01T00:00:01.000Z', sendAt: '1970-01-01T00:00:02.000Z' });
  });

  test('bytes are taken by reference', () => {
    const content = new Uint8Array(3);
    const message = new EmailMessage({ ...PLAIN, attachments: [{ content }] });
    expect(message.attachments[0]?.content).toBe(content);
    expect(message.with({ subject: 'x' }).attachments[0]?.content).toBe(content);
  });
});

/** The paths of everything that could still be changed. */
function findThawed(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const inner = Object.entries(value).flatMap(([key, entry]) => findThawed(entry, `${path}.${key}`));
  return path === '' || Object.isFrozen(value) ? inner : [path, ...inner];
}

describe('recipients', () => {
  test('are to, cc and bcc in this order, members of groups included, each address once', () => {
    const message = new EmailMessage({
      ...PLAIN,
      to: ['Bob <b@x.org>', 'Team: c@x.org, B@X.ORG;'],
      cc: ['jane@bücher.example'],
      bcc: ['Jane@xn--bcher-kva.example', 'd@x.org', 'c@x.org'],
    });
    expect(message.recipients.map(({ address }) => address)).toEqual([
      'b@x.org',
      'c@x.org',
      'jane@bücher.example',
      'd@x.org',
    ]);
  });

  test('a group alone is enough', () => {
    const { recipients } = new EmailMessage({ ...PLAIN, to: 'Team: c@x.org;' });
    expect(recipients.map(({ address }) => address)).toEqual(['c@x.org']);
  });

  test('a group without members is kept beside a bcc', () => {
    const message = new EmailMessage({ ...PLAIN, to: 'undisclosed-recipients:;', bcc: 'c@x.org' });
    expect(message.to).toEqual(['undisclosed-recipients:;']);
    expect(message.recipients).toHaveLength(1);
  });
});

test('parsed has every address in parts', () => {
  const { parsed } = new EmailMessage({ ...PLAIN, fromEmail: 'Jane <j@x.org>', envelopeSender: 'bounce@x.org' });
  expect(parsed.from).toMatchObject({ name: 'Jane', address: 'j@x.org' });
  expect(parsed.envelopeSender?.address).toBe('bounce@x.org');
  expect(new EmailMessage({ ...PLAIN, envelopeSender: '' }).parsed.envelopeSender).toBeNull();
});

describe('with', () => {
  test('changes some fields and checks anew', () => {
    const message = new EmailMessage({ ...PLAIN, tags: ['a'] });
    const changed = message.with({ subject: 'Other', to: ['c@x.org'] });
    expect({ ...changed }).toEqual({ ...message, subject: 'Other', to: ['c@x.org'] });
    expect(message.subject).toBe('Hello');
    expect(() => message.with({ subject: 'a\nb' })).toThrow(MessageError);
  });
});

describe('materialize', () => {
  test('is the message itself when all content is in memory', async () => {
    const message = new EmailMessage({ ...PLAIN, attachments: [{ content: 'x' }, { content: new Uint8Array(2) }] });
    expect(await message.materialize()).toBe(message);
  });

  test('reads Blobs and streams into memory', async () => {
    const message = new EmailMessage({
      ...PLAIN,
      attachments: [{ filename: 'a.png', content: new Blob(['blob']), contentId: 'logo' }, { content: 'text' }],
    });
    const held = await message.materialize();
    expect(held.attachments[0]).toMatchObject({ filename: 'a.png', mimetype: 'image/png', contentId: 'logo' });
    expect(Buffer.from(held.attachments[0]?.content as Uint8Array).toString()).toBe('blob');
    expect(held.attachments[1]).toBe(message.attachments[1]);
    expect(EmailMessage.fromJSON(held.toJSON()).attachments).toHaveLength(2);
  });
});

test('instances of Attachment and plain objects are the same to a message', () => {
  const attachment = new Attachment({ filename: 'a.txt', content: 'x' });
  const message = new EmailMessage({ ...PLAIN, attachments: [attachment, { filename: 'a.txt', content: 'x' }] });
  expect(message.attachments[0]).toBe(attachment);
  expect({ ...message.attachments[1] }).toEqual({ ...attachment });
});
