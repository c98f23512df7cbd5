import service from '@sendgrid/mail';
import { getConnection } from '../../src/index.ts';
import { base64, DOCUMENT, LATER, PICTURE } from './messages.ts';
import { describeSdk } from './oracle.ts';

const KEY = 'SG.abc.def';
const MAIL = { subject: 'Hello', text: 'Hello', from: 'shop@example.com', to: 'ann@example.org' };
const CUSTOM_ARGS = 'those of a personalization and those of the mail are the same for who gets it';
const CONTENT_ID = "the SDK's fault: its type has contentId, which it does not rename to what the API reads";

describeSdk('sendgrid', {
  connect: () => getConnection('sendgrid', { apiKey: KEY, maxConnections: 1 }),
  sdk: () => {
    service.setApiKey(KEY);
    return service;
  },
  answer: () => ({ status: 202, headers: { 'x-message-id': 'id-0' }, body: '' }),
  cases: {
    'text and HTML': { send: (mail) => mail.send({ ...MAIL, html: '<p>Hello</p>' }) },
    'all fields': {
      send: (mail) =>
        mail.send({
          subject: 'Your order 17',
          text: 'Thank you.',
          html: '<p>Thank you.</p>',
          from: 'Shop <shop@example.com>',
          to: ['Ann <ann@example.org>', 'bob@example.org'],
          cc: 'Cid <cid@example.org>',
          bcc: 'dan@example.org',
          replyTo: 'Help <help@example.com>',
          headers: { 'X-Order': '17' },
          categories: ['receipt'],
          customArgs: { order: '17' },
          trackingSettings: { openTracking: { enable: true }, clickTracking: { enable: true, enableText: true } },
        }),
      differences: [
        {
          at: '0.headers.x-order',
          sdk: '17',
          ours: undefined,
          why: "the SDK's fault: it sends the mail's headers as headers of the request, too",
        },
        { at: '0.body.custom_args.order', sdk: '17', ours: undefined, why: CUSTOM_ARGS },
        { at: '0.body.personalizations.0.custom_args.order', sdk: undefined, ours: '17', why: CUSTOM_ARGS },
      ],
    },
    'names beyond ASCII': {
      send: (mail) =>
        mail.send({
          ...MAIL,
          subject: 'Größe 日本',
          from: { name: 'Müller, Jörg', email: 'shop@example.com' },
          to: { name: '山田 太郎', email: 'yamada@example.org' },
        }),
    },
    'picture in the text': {
      send: (mail) =>
        mail.send({
          ...MAIL,
          html: '<img src="cid:logo">',
          attachments: [
            {
              content: base64(PICTURE),
              filename: 'logo.png',
              type: 'image/png',
              disposition: 'inline',
              contentId: 'logo',
            },
          ],
        }),
      differences: [
        { at: '0.body.attachments.0.contentId', sdk: 'logo', ours: undefined, why: CONTENT_ID },
        { at: '0.body.attachments.0.content_id', sdk: undefined, ours: 'logo', why: CONTENT_ID },
      ],
    },
    files: {
      send: (mail) =>
        mail.send({
          ...MAIL,
          attachments: [
            { content: base64('Grüße'), filename: 'notes.txt', type: 'text/plain', disposition: 'attachment' },
            {
              content: base64(DOCUMENT),
              filename: 'Übersicht.pdf',
              type: 'application/pdf',
              disposition: 'attachment',
            },
            { content: base64('id\n17\n'), filename: 'orders.csv', type: 'text/csv', disposition: 'attachment' },
          ],
        }),
    },
    'several to reply to': {
      send: (mail) =>
        mail.send({
          ...MAIL,
          replyToList: [{ name: 'Help', email: 'help@example.com' }, { email: 'sales@example.com' }],
        }),
    },
    'template for three': {
      with: { templateId: 'd-123' },
      send: (mail) =>
        mail.send({
          from: 'shop@example.com',
          templateId: 'd-123',
          personalizations: [
            { to: 'Ann <ann@example.org>', dynamicTemplateData: { shop: 'Books', name: 'Ann' } },
            { to: 'bob@example.org', dynamicTemplateData: { shop: 'Books', name: 'Bob' } },
            { to: 'cid@example.org', dynamicTemplateData: { shop: 'Books', name: 'Cid' } },
          ],
        }),
    },
    'three mails': {
      send: async (mail) => {
        await mail.send({ ...MAIL, subject: 'One' });
        await mail.send({ subject: 'Two', html: '<p>Two</p>', from: 'shop@example.com', to: 'bob@example.org' });
        await mail.send({ ...MAIL, subject: 'Three', html: '<p>Three</p>', to: 'cid@example.org' });
      },
    },
    'idempotency key': 'SendGrid has no such keys',
    schedule: { send: (mail) => mail.send({ ...MAIL, sendAt: LATER.getTime() / 1_000 }) },
  },
});
