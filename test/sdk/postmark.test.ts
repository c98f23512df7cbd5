import { Models, ServerClient } from 'postmark';
import { getConnection } from '../../src/index.ts';
import { base64, DOCUMENT, PICTURE } from './messages.ts';
import { describeSdk } from './oracle.ts';

const TOKEN = '11111111-2222-3333-4444-555555555555';
const MAIL = { Subject: 'Hello', TextBody: 'Hello', From: 'shop@example.com', To: 'ann@example.org' };
const TAKEN = { ErrorCode: 0, Message: 'OK', MessageID: 'id-0', SubmittedAt: '2026-01-01T00:00:00Z', To: '' };

describeSdk('postmark', {
  connect: () => getConnection('postmark', { serverToken: TOKEN, maxConnections: 1 }),
  sdk: () => new ServerClient(TOKEN),
  answer: ({ path }) => ({ body: path.includes('batch') ? [TAKEN, TAKEN, TAKEN] : TAKEN }),
  cases: {
    'text and HTML': { send: (client) => client.sendEmail({ ...MAIL, HtmlBody: '<p>Hello</p>' }) },
    'all fields': {
      send: (client) =>
        client.sendEmail({
          Subject: 'Your order 17',
          TextBody: 'Thank you.',
          HtmlBody: '<p>Thank you.</p>',
          From: 'Shop <shop@example.com>',
          To: 'Ann <ann@example.org>, bob@example.org',
          Cc: 'Cid <cid@example.org>',
          Bcc: 'dan@example.org',
          ReplyTo: 'Help <help@example.com>',
          Headers: [{ Name: 'X-Order', Value: '17' }],
          Tag: 'receipt',
          Metadata: { order: '17' },
          TrackOpens: true,
          TrackLinks: Models.LinkTrackingOptions.HtmlAndText,
        }),
    },
    'names beyond ASCII': {
      send: (client) =>
        client.sendEmail({
          ...MAIL,
          Subject: 'Größe 日本',
          From: '"Müller, Jörg" <shop@example.com>',
          To: '山田 太郎 <yamada@example.org>',
        }),
    },
    'picture in the text': {
      send: (client) =>
        client.sendEmail({
          ...MAIL,
          HtmlBody: '<img src="cid:logo">',
          Attachments: [new Models.Attachment('logo.png', base64(PICTURE), 'image/png', 'cid:logo')],
        }),
    },
    files: {
      send: (client) =>
        client.sendEmail({
          ...MAIL,
          Attachments: [
            { Name: 'notes.txt', Content: base64('Grüße'), ContentType: 'text/plain; charset=utf-8', ContentID: null },
            { Name: 'Übersicht.pdf', Content: base64(DOCUMENT), ContentType: 'application/pdf', ContentID: null },
            {
              Name: 'orders.csv',
              Content: base64('id\n17\n'),
              ContentType: 'text/csv; charset=utf-8',
              ContentID: null,
            },
          ],
        }),
      differences: [0, 1, 2].map((file) => ({
        at: `0.body.Attachments.${file}.ContentID`,
        sdk: null,
        ours: undefined,
        why: 'its type asks for null where there is none',
      })),
    },
    'several to reply to': {
      send: (client) => client.sendEmail({ ...MAIL, ReplyTo: 'Help <help@example.com>, sales@example.com' }),
    },
    'template for three': {
      send: (client) =>
        client.sendEmailBatchWithTemplates(
          [
            ['Ann <ann@example.org>', 'Ann'] as const,
            ['bob@example.org', 'Bob'] as const,
            ['cid@example.org', 'Cid'] as const,
          ].map(([To, name]) => ({
            From: 'shop@example.com',
            To,
            TemplateAlias: 'welcome',
            TemplateModel: { shop: 'Books', name },
          })),
        ),
    },
    'three mails': {
      send: (client) =>
        client.sendEmailBatch([
          { ...MAIL, Subject: 'One' },
          { Subject: 'Two', HtmlBody: '<p>Two</p>', From: 'shop@example.com', To: 'bob@example.org' },
          { ...MAIL, Subject: 'Three', HtmlBody: '<p>Three</p>', To: 'cid@example.org' },
        ]),
    },
    'idempotency key': 'Postmark has no such keys',
    schedule: 'Postmark sends at once',
  },
});
