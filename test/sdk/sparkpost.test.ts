import SparkPost from 'sparkpost';
import { getConnection } from '../../src/index.ts';
import { base64, DOCUMENT, PICTURE } from './messages.ts';
import { describeSdk } from './oracle.ts';

const KEY = '0123456789abcdef0123456789abcdef01234567';
const CONTENT = { subject: 'Hello', text: 'Hello', from: { email: 'shop@example.com' } };
/** Where ours tells what To shows, the name of who gets it included, and the SDK leaves it to the address. */
const shows = (header: string, name: string | null = null, recipient = 0, request = 0) => {
  const at = `${request}.body.recipients.${recipient}.address`;
  const why = 'without it nobody would see the others of `to`; with one recipient it is the same';
  return [
    { at: `${at}.header_to`, sdk: undefined, ours: header, why },
    ...(name === null ? [] : [{ at: `${at}.name`, sdk: name, ours: undefined, why: 'it stands in header_to' }]),
  ];
};
const CC = 'headers are the same in any letters';
const asWritten = (request = 0) => ({
  at: `${request}.body.options.perform_substitutions`,
  sdk: undefined,
  ours: false,
  why: 'braces would be read as variables, and there are none',
});
const ANN = [...shows('ann@example.org'), asWritten()];
const BOTH = 'Ann <ann@example.org>, bob@example.org';
const recipients = [{ address: 'ann@example.org' }];

describeSdk('sparkpost', {
  connect: () => getConnection('sparkpost', { apiKey: KEY, maxConnections: 1 }),
  sdk: () => new SparkPost(KEY).transmissions,
  answer: ({ body }) => {
    const { recipients: people } = JSON.parse(body.toString());
    const results = { id: 'id-0', total_accepted_recipients: people.length, total_rejected_recipients: 0 };
    return { body: { results } };
  },
  cases: {
    'text and HTML': {
      send: (mails) => mails.send({ recipients, content: { ...CONTENT, html: '<p>Hello</p>' } }),
      differences: ANN,
    },
    'all fields': {
      send: (mails) =>
        mails.send({
          recipients: [{ address: { name: 'Ann', email: 'ann@example.org' } }, { address: 'bob@example.org' }],
          cc: [{ address: 'Cid <cid@example.org>' }],
          bcc: [{ address: 'dan@example.org' }],
          content: {
            subject: 'Your order 17',
            text: 'Thank you.',
            html: '<p>Thank you.</p>',
            from: { name: 'Shop', email: 'shop@example.com' },
            reply_to: 'Help <help@example.com>',
            headers: { 'X-Order': '17' },
          },
          campaign_id: 'receipt',
          metadata: { order: '17' },
          options: { open_tracking: true, click_tracking: true },
        }),
      differences: [
        ...shows(BOTH, 'Ann'),
        ...shows(BOTH, null, 1),
        asWritten(),
        ...[2, 3].map((copy) => ({
          at: `0.body.recipients.${copy}.address.header_to`,
          sdk: '"Ann" <ann@example.org>, bob@example.org',
          ours: BOTH,
          why: 'quotes are needed around some names only',
        })),
        { at: '0.body.content.headers.CC', sdk: 'Cid <cid@example.org>', ours: undefined, why: CC },
        { at: '0.body.content.headers.Cc', sdk: undefined, ours: 'Cid <cid@example.org>', why: CC },
      ],
    },
    'names beyond ASCII': {
      send: (mails) =>
        mails.send({
          recipients: [{ address: { name: '山田 太郎', email: 'yamada@example.org' } }],
          content: {
            ...CONTENT,
            subject: 'Größe 日本',
            from: { name: 'Müller, Jörg', email: 'shop@example.com' },
          },
        }),
      differences: [...shows('山田 太郎 <yamada@example.org>', '山田 太郎'), asWritten()],
    },
    'picture in the text': {
      send: (mails) =>
        mails.send({
          recipients,
          content: {
            ...CONTENT,
            html: '<img src="cid:logo">',
            inline_images: [{ name: 'logo', type: 'image/png', data: base64(PICTURE) }],
          },
        }),
      differences: ANN,
    },
    files: {
      send: (mails) =>
        mails.send({
          recipients,
          content: {
            ...CONTENT,
            attachments: [
              { name: 'notes.txt', type: 'text/plain', data: base64('Grüße') },
              { name: 'Übersicht.pdf', type: 'application/pdf', data: base64(DOCUMENT) },
              { name: 'orders.csv', type: 'text/csv', data: base64('id\n17\n') },
            ],
          },
        }),
      differences: ANN,
    },
    'several to reply to': {
      send: (mails) =>
        mails.send({
          recipients,
          content: { ...CONTENT, reply_to: 'Help <help@example.com>, sales@example.com' },
        }),
      differences: ANN,
    },
    'template for three': {
      send: (mails) =>
        mails.send({
          recipients: [
            { address: { name: 'Ann', email: 'ann@example.org' }, substitution_data: { shop: 'Books', name: 'Ann' } },
            { address: 'bob@example.org', substitution_data: { shop: 'Books', name: 'Bob' } },
            { address: 'cid@example.org', substitution_data: { shop: 'Books', name: 'Cid' } },
          ],
          content: { template_id: 'welcome' },
        }),
      differences: [
        ...shows('Ann <ann@example.org>', 'Ann'),
        ...shows('bob@example.org', null, 1),
        ...shows('cid@example.org', null, 2),
      ],
    },
    'three mails': {
      send: async (mails) => {
        await mails.send({ recipients, content: { ...CONTENT, subject: 'One' } });
        await mails.send({
          recipients: [{ address: 'bob@example.org' }],
          content: { subject: 'Two', html: '<p>Two</p>', from: CONTENT.from },
        });
        await mails.send({
          recipients: [{ address: 'cid@example.org' }],
          content: { ...CONTENT, subject: 'Three', html: '<p>Three</p>' },
        });
      },
      differences: [
        ...ANN,
        ...shows('bob@example.org', null, 0, 1),
        asWritten(1),
        ...shows('cid@example.org', null, 0, 2),
        asWritten(2),
      ],
    },
    'idempotency key': 'SparkPost has no such keys',
    schedule: {
      send: (mails) =>
        mails.send({ recipients, content: CONTENT, options: { start_time: '2099-12-24T18:30:00+00:00' } }),
      differences: ANN,
    },
  },
});
