import { MailtrapClient } from 'mailtrap';
import { getConnection } from '../../src/index.ts';
import { base64, DOCUMENT, PICTURE } from './messages.ts';
import { describeSdk } from './oracle.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const TEMPLATE = '11111111-2222-3333-4444-555555555555';
const MAIL = {
  subject: 'Hello',
  text: 'Hello',
  from: { email: 'shop@example.com' },
  to: [{ email: 'ann@example.org' }],
};
/** The SDK's type has no `from` here; the API does (`BatchEmail` of Mailtrap's OpenAPI). */
const THREE = [
  { ...MAIL, subject: 'One' },
  { subject: 'Two', html: '<p>Two</p>', from: MAIL.from, to: [{ email: 'bob@example.org' }] },
  { ...MAIL, subject: 'Three', html: '<p>Three</p>', to: [{ email: 'cid@example.org' }] },
];
const TAKEN = { success: true, message_ids: ['id-0'] };

describeSdk('mailtrap', {
  connect: () => getConnection('mailtrap', { apiKey: KEY, maxConnections: 1 }),
  sdk: () => new MailtrapClient({ token: KEY }),
  answer: ({ path }) => ({ body: path === '/api/batch' ? { success: true, responses: [TAKEN, TAKEN, TAKEN] } : TAKEN }),
  cases: {
    'text and HTML': { send: (client) => client.send({ ...MAIL, html: '<p>Hello</p>' }) },
    'all fields': {
      send: (client) =>
        client.send({
          subject: 'Your order 17',
          text: 'Thank you.',
          html: '<p>Thank you.</p>',
          from: { name: 'Shop', email: 'shop@example.com' },
          to: [{ name: 'Ann', email: 'ann@example.org' }, { email: 'bob@example.org' }],
          cc: [{ name: 'Cid', email: 'cid@example.org' }],
          bcc: [{ email: 'dan@example.org' }],
          reply_to: { name: 'Help', email: 'help@example.com' },
          headers: { 'X-Order': '17' },
          category: 'receipt',
          custom_variables: { order: '17' },
        }),
    },
    'names beyond ASCII': {
      send: (client) =>
        client.send({
          ...MAIL,
          subject: 'Größe 日本',
          from: { name: 'Müller, Jörg', email: 'shop@example.com' },
          to: [{ name: '山田 太郎', email: 'yamada@example.org' }],
        }),
    },
    'picture in the text': {
      send: (client) =>
        client.send({
          ...MAIL,
          html: '<img src="cid:logo">',
          attachments: [
            {
              ...{ filename: 'logo.png', type: 'image/png', content: base64(PICTURE) },
              ...{ disposition: 'inline', content_id: 'logo' },
            },
          ],
        }),
    },
    files: {
      send: (client) =>
        client.send({
          ...MAIL,
          attachments: [
            { filename: 'notes.txt', type: 'text/plain', content: base64('Grüße'), disposition: 'attachment' },
            {
              filename: 'Übersicht.pdf',
              type: 'application/pdf',
              content: base64(DOCUMENT),
              disposition: 'attachment',
            },
            { filename: 'orders.csv', type: 'text/csv', content: base64('id\n17\n'), disposition: 'attachment' },
          ],
        }),
    },
    'several to reply to': {
      send: (client) => client.send({ ...MAIL, headers: { 'Reply-To': 'Help <help@example.com>, sales@example.com' } }),
    },
    'template for three': {
      with: { templateId: TEMPLATE },
      send: (client) =>
        client.batchSend({
          requests: [
            [{ name: 'Ann', email: 'ann@example.org' }, 'Ann'] as const,
            [{ email: 'bob@example.org' }, 'Bob'] as const,
            [{ email: 'cid@example.org' }, 'Cid'] as const,
          ].map(([to, name]) => ({
            from: { email: 'shop@example.com' },
            to: [to],
            template_uuid: TEMPLATE,
            template_variables: { shop: 'Books', name },
          })),
        }),
    },
    'three mails': {
      send: (client) => client.batchSend({ requests: THREE }),
    },
    'idempotency key': 'Mailtrap has no such keys',
    schedule: 'Mailtrap sends at once',
  },
});
