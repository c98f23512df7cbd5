import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import { expectMail } from '../../../src/testing/inbox/expect-mail.ts';
import { createInbox, type Inbox } from '../../../src/testing/inbox/inbox.ts';
import type { InboxMessage } from '../../../src/testing/inbox/inbox-message.ts';
import { mailSnapshot } from '../../../src/testing/inbox/mail-snapshot.ts';
import { mailMatchers, mailSnapshotSerializer } from '../../../src/testing/vitest.ts';

expect.extend(mailMatchers);
expect.addSnapshotSerializer(mailSnapshotSerializer);

async function inboxWithMail(): Promise<{ readonly inbox: Inbox; readonly message: InboxMessage }> {
  const inbox = createInbox();
  await inbox.sendMessages([
    {
      subject: 'Bitte bestätigen',
      body: 'Open https://example.com/confirm?t=1',
      htmlBody: '<a href="https://example.com/confirm?t=1">Open</a> <img src="cid:logo">',
      fromEmail: 'Shop <shop@example.com>',
      to: 'Jane <jane@example.org>',
      bcc: 'archive@example.com',
      headers: { 'X-Order': '17' },
      attachments: [
        { filename: 'invoice.pdf', content: Uint8Array.of(1, 2, 255) },
        { filename: 'logo.png', content: Uint8Array.of(3), contentId: 'logo' },
      ],
    },
  ]);
  const message = inbox.last;
  assert(message);
  return { inbox, message };
}

test('what holds passes, and its opposite fails', async () => {
  const { inbox, message } = await inboxWithMail();
  expect(inbox).toHaveSent();
  expect(inbox).toHaveSent({ to: 'jane@example.org', subject: /bestätigen$/, body: 'confirm' });
  expect(inbox).not.toHaveSent({ to: 'bob@example.org' });
  expect(inbox).toHaveSentTimes(1);
  expect(inbox).toHaveSentTimes(0, { to: 'bob@example.org' });
  expect(inbox).not.toHaveSentNothing();
  expect(createInbox()).toHaveSentNothing();
  expect(message).toHaveRecipient('archive@example.com');
  expect(message).toHaveRecipient(/^Jane </);
  expect(message).not.toHaveRecipient('shop@example.com');
  expect(message).toHaveSubject('Bitte bestätigen');
  expect(message).not.toHaveSubject('Bitte');
  expect(message).toHaveLink('https://example.com/confirm?t=1');
  expect(message).toHaveLink(/\/confirm/g);
  expect(message).toHaveAttachment('invoice.pdf');
  expect(message).toHaveAttachment({ mimetype: 'application/pdf', content: Uint8Array.of(1, 2, 255) });
  expect(message).toHaveAttachment({ filename: /png$/, contentId: 'logo' });
  expect(message).not.toHaveAttachment({ filename: 'invoice.pdf', content: 'other' });
  expect(message).toHaveHeader('x-order');
  expect(message).toHaveHeader('X-Order', /^\d+$/);
  expect(message).not.toHaveHeader('X-Order', '18');
  expect(() => expect(message).not.toHaveHeader('X-Order')).toThrow('not to have the header X-Order');
});

describe('a failure lists what was sent', () => {
  const LIST = '1. "Bitte bestätigen" to jane@example.org, archive@example.com, with logo.png, invoice.pdf';
  test.each<[string, (found: { readonly inbox: Inbox; readonly message: InboxMessage }) => void, string]>([
    ['toHaveSent', ({ inbox }) => expect(inbox).toHaveSent({ to: 'bob@x.org' }), 'a message with to "bob@x.org"'],
    ['toHaveSentTimes', ({ inbox }) => expect(inbox).toHaveSentTimes(2), 'to have sent a message 2 times'],
    ['toHaveSentNothing', ({ inbox }) => expect(inbox).toHaveSentNothing(), 'to have sent nothing'],
    ['not.toHaveSent', ({ inbox }) => expect(inbox).not.toHaveSent(), 'not to have sent a message'],
    ['expectMail', ({ inbox }) => expectMail(inbox).toHaveSentTimes(2), 'to have sent a message 2 times'],
  ])('%s', async (_, fail, text) => {
    const found = await inboxWithMail();
    expect(() => fail(found)).toThrow(`${text}; sent was:\n${LIST}\n   Open https://example.com/confirm?t=1`);
  });

  test.each<[string, (message: InboxMessage) => void, string]>([
    ['toHaveRecipient', (m) => expect(m).toHaveRecipient('a@x.org'), '- jane@example.org\n- archive@example.com\n'],
    ['toHaveSubject', (m) => expect(m).toHaveSubject('No'), '- Bitte bestätigen\n'],
    ['toHaveLink', (m) => expect(m).toHaveLink('https://x.org'), '- https://example.com/confirm?t=1\n'],
    ['toHaveAttachment', (m) => expect(m).toHaveAttachment('a.txt'), '- invoice.pdf (application/pdf, 3 bytes)\n'],
    ['toHaveHeader', (m) => expect(m).toHaveHeader('X-Order', '18'), 'X-Order: "18"; found:\n- X-Order: 17\n'],
  ])('%s shows what the message has', async (_, fail, text) => {
    const { message } = await inboxWithMail();
    expect(() => fail(message)).toThrow(text);
  });

  test('what is no message or inbox is a mistake of the test, with .not too', () => {
    expect(() => expect(createInbox().last).not.toHaveSubject('x')).toThrow('expected a message of an inbox');
    expect(() => expect({}).toHaveSent()).toThrow('expected an inbox');
  });
});

test.each<[string, (found: { readonly inbox: Inbox; readonly message: InboxMessage }, wrong: never) => void, unknown]>([
  ['toHaveSent, a field without a value', ({ inbox }, wrong) => expect(inbox).toHaveSent(wrong), { to: undefined }],
  ['toHaveSent, an object', ({ inbox }, wrong) => expect(inbox).toHaveSent(wrong), { to: { address: 'a@x.org' } }],
  ['toHaveSent, a pattern', ({ inbox }, wrong) => expect(inbox).toHaveSent(wrong), /x/],
  [
    'toHaveSent, an unknown field',
    () => expect(createInbox()).not.toHaveSent({ recipient: 'a@x.org' } as object),
    null,
  ],
  ['toHaveSentTimes', ({ inbox }, wrong) => expect(inbox).toHaveSentTimes(1, wrong), { subject: undefined }],
  ['toHaveRecipient', ({ message }, wrong) => expect(message).not.toHaveRecipient(wrong), undefined],
  ['toHaveSubject', ({ message }, wrong) => expect(message).not.toHaveSubject(wrong), undefined],
  ['toHaveLink', ({ message }, wrong) => expect(message).not.toHaveLink(wrong), undefined],
  ['toHaveHeader', ({ message }, wrong) => expect(message).not.toHaveHeader('X-Order', wrong), 17],
  ['toHaveAttachment', ({ message }, wrong) => expect(message).not.toHaveAttachment(wrong), undefined],
  [
    'toHaveAttachment, an unknown field',
    ({ message }, wrong) => expect(message).toHaveAttachment(wrong),
    { fileName: 'a' },
  ],
  [
    'toHaveAttachment, no content',
    ({ message }, wrong) => expect(message).toHaveAttachment(wrong),
    { content: undefined },
  ],
  ['inbox.to', ({ inbox }, wrong) => inbox.to(wrong), undefined],
  ['inbox.find', (_, wrong) => createInbox().find(wrong), undefined],
])('what asks for nothing is a mistake of the test: %s', async (_, ask, wrong) => {
  const found = await inboxWithMail();
  expect(() => ask(found, wrong as never)).toThrow(TypeError); // what the types do not let through
});

test('expectMail has every matcher, and its opposite', async () => {
  const { inbox, message } = await inboxWithMail();
  expectMail(inbox).toHaveSent({ to: 'jane@example.org' });
  expectMail(message).not.toHaveSubject('No');
  expect(Object.keys(expectMail(message).not)).toEqual(Object.keys(mailMatchers));
  assert.throws(() => expectMail(message).toHaveSubject('No'), { name: 'AssertionError', operator: 'toHaveSubject' });
});

test('a snapshot is the same every time', async () => {
  const [first, second] = [await inboxWithMail(), await inboxWithMail()];
  expect(first.message.source).not.toBe(second.message.source);
  expect(mailSnapshot(first.message)).toBe(mailSnapshot(second.message));
  expect(first.message).toMatchInlineSnapshot(`
    Recipients: jane@example.org, archive@example.com
    From: Shop <shop@example.com>
    To: Jane <jane@example.org>
    Subject: Bitte bestätigen
    Date: Thu, 01 Jan 1970 00:00:00 +0000
    Message-ID: <message-id@example.com>
    X-Order: 17
    MIME-Version: 1.0
    Content-Type: multipart/mixed; boundary="=_1_boundary"

    --- text/plain
    Open https://example.com/confirm?t=1

    --- text/html
    <a href="https://example.com/confirm?t=1">Open</a> <img src="cid:logo">

    --- image/png, inline, logo.png, cid:logo
    1 bytes, sha256 084fed08b978af4d7d196a7446a86b58009e636b611db16211b65a9aadff29c5

    --- application/pdf, attachment, invoice.pdf
    3 bytes, sha256 0526d0e18ea19dfaad9d79166bec1e18d6221ef6b1830385fe9bf67022ed5f96
  `);
});
