import { BrevoClient } from '@getbrevo/brevo';
import { expect } from 'vitest';
import { getConnection } from '../../src/index.ts';
import { base64, DOCUMENT, LATER } from './messages.ts';
import { describeSdk } from './oracle.ts';

const KEY = 'xkeysib-0123456789abcdef';
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const MAIL = {
  subject: 'Hello',
  textContent: 'Hello',
  sender: { email: 'shop@example.com' },
  to: [{ email: 'ann@example.org' }],
};

describeSdk('brevo', {
  connect: () => getConnection('brevo', { apiKey: KEY, maxConnections: 1 }),
  sdk: () => new BrevoClient({ apiKey: KEY }).transactionalEmails,
  ownKey: {
    at: 'body.headers.idempotencyKey',
    sdk: undefined,
    ours: expect.stringMatching(UUID),
    why: 'a lost answer is asked for again with it',
  },
  answer: ({ body }) => {
    const { messageVersions } = JSON.parse(body.toString());
    const messageIds = messageVersions?.map((_: unknown, index: number) => `<id-${index}@example.com>`);
    return { status: 201, body: messageIds ? { messageIds } : { messageId: '<id-0@example.com>' } };
  },
  cases: {
    'text and HTML': { send: (emails) => emails.sendTransacEmail({ ...MAIL, htmlContent: '<p>Hello</p>' }) },
    'all fields': {
      send: (emails) =>
        emails.sendTransacEmail({
          subject: 'Your order 17',
          textContent: 'Thank you.',
          htmlContent: '<p>Thank you.</p>',
          sender: { name: 'Shop', email: 'shop@example.com' },
          to: [{ name: 'Ann', email: 'ann@example.org' }, { email: 'bob@example.org' }],
          cc: [{ name: 'Cid', email: 'cid@example.org' }],
          bcc: [{ email: 'dan@example.org' }],
          replyTo: { name: 'Help', email: 'help@example.com' },
          headers: { 'X-Order': '17', 'X-Mailin-custom': '{"order":"17"}' },
          tags: ['receipt'],
        }),
      differences: [
        {
          at: '0.body.headers.X-Mailin-custom',
          sdk: '{"order":"17"}',
          ours: '{"order": "17"}',
          why: 'the same JSON, with blanks at which a long header can be folded',
        },
      ],
    },
    'names beyond ASCII': {
      send: (emails) =>
        emails.sendTransacEmail({
          ...MAIL,
          subject: 'Größe 日本',
          sender: { name: 'Müller, Jörg', email: 'shop@example.com' },
          to: [{ name: '山田 太郎', email: 'yamada@example.org' }],
        }),
      differences: [
        {
          at: '0.body.sender.name',
          sdk: 'Müller, Jörg',
          ours: '=?UTF-8?Q?M=C3=BCller=2C_J=C3=B6rg?=',
          why: 'Brevo drops a name with a comma and letters beyond ASCII, unless it is encoded',
        },
      ],
    },
    'picture in the text': 'Brevo has no attachments that a text shows',
    files: {
      send: (emails) =>
        emails.sendTransacEmail({
          ...MAIL,
          attachment: [
            { name: 'notes.txt', content: base64('Grüße') },
            { name: 'Übersicht.pdf', content: base64(DOCUMENT) },
            { name: 'orders.csv', content: base64('id\n17\n') },
          ],
        }),
    },
    'several to reply to': 'Brevo takes one address for replies',
    'template for three': {
      with: { templateId: '7' },
      send: (emails) =>
        emails.sendTransacEmail({
          sender: { email: 'shop@example.com' },
          templateId: 7,
          messageVersions: [
            { to: [{ name: 'Ann', email: 'ann@example.org' }], params: { shop: 'Books', name: 'Ann' } },
            { to: [{ email: 'bob@example.org' }], params: { shop: 'Books', name: 'Bob' } },
            { to: [{ email: 'cid@example.org' }], params: { shop: 'Books', name: 'Cid' } },
          ],
        }),
    },
    'three mails': {
      send: async (emails) => {
        await emails.sendTransacEmail({ ...MAIL, subject: 'One' });
        await emails.sendTransacEmail({
          subject: 'Two',
          htmlContent: '<p>Two</p>',
          sender: { email: 'shop@example.com' },
          to: [{ email: 'bob@example.org' }],
        });
        await emails.sendTransacEmail({
          ...MAIL,
          subject: 'Three',
          htmlContent: '<p>Three</p>',
          to: [{ email: 'cid@example.org' }],
        });
      },
    },
    'idempotency key': {
      send: (emails) => emails.sendTransacEmail({ ...MAIL, headers: { idempotencyKey: 'order-17' } }),
      differences: [
        {
          at: '0.body.headers.idempotencyKey',
          sdk: 'order-17',
          ours: expect.stringMatching(UUID),
          why: 'keys are UUIDs: ours is made from the text',
        },
      ],
    },
    schedule: { send: (emails) => emails.sendTransacEmail({ ...MAIL, scheduledAt: LATER.toISOString() }) },
  },
});
