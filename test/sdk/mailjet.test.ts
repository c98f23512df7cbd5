import { Client, type SendEmailV3_1 } from 'node-mailjet';
import { getConnection } from '../../src/index.ts';
import { base64, DOCUMENT, PICTURE } from './messages.ts';
import { describeSdk } from './oracle.ts';

const KEYS = { apiKey: '0123456789abcdef0123456789abcdef', secretKey: 'fedcba9876543210fedcba9876543210' };
const MAIL = {
  Subject: 'Hello',
  TextPart: 'Hello',
  From: { Email: 'shop@example.com' },
  To: [{ Email: 'ann@example.org' }],
};

function sdk() {
  const client = new Client({ apiKey: KEYS.apiKey, apiSecret: KEYS.secretKey });
  return (...messages: SendEmailV3_1.Message[]) =>
    client.post('send', { version: 'v3.1' }).request({ Messages: messages });
}

describeSdk('mailjet', {
  connect: () => getConnection('mailjet', { ...KEYS, maxConnections: 1 }),
  sdk,
  answer: ({ body }) => {
    const { Messages } = JSON.parse(body.toString());
    return { body: { Messages: Messages.map(({ To }: SendEmailV3_1.Message) => ({ Status: 'success', To })) } };
  },
  cases: {
    'text and HTML': { send: (send) => send({ ...MAIL, HTMLPart: '<p>Hello</p>' }) },
    'all fields': {
      send: (send) =>
        send({
          Subject: 'Your order 17',
          TextPart: 'Thank you.',
          HTMLPart: '<p>Thank you.</p>',
          From: { Name: 'Shop', Email: 'shop@example.com' },
          To: [{ Name: 'Ann', Email: 'ann@example.org' }, { Email: 'bob@example.org' }],
          Cc: [{ Name: 'Cid', Email: 'cid@example.org' }],
          Bcc: [{ Email: 'dan@example.org' }],
          ReplyTo: { Name: 'Help', Email: 'help@example.com' },
          Headers: { 'X-Order': '17' },
          CustomCampaign: 'receipt',
          EventPayload: '{"order":"17"}',
          // Its enums are of its types only.
          TrackOpens: 'enabled' as SendEmailV3_1.TrackOpens,
          TrackClicks: 'enabled' as SendEmailV3_1.TrackClicks,
        }),
    },
    'names beyond ASCII': {
      send: (send) =>
        send({
          ...MAIL,
          Subject: 'Größe 日本',
          From: { Name: 'Müller, Jörg', Email: 'shop@example.com' },
          To: [{ Name: '山田 太郎', Email: 'yamada@example.org' }],
        }),
    },
    'picture in the text': {
      send: (send) =>
        send({
          ...MAIL,
          HTMLPart: '<img src="cid:logo">',
          InlinedAttachments: [
            { Filename: 'logo.png', ContentType: 'image/png', Base64Content: base64(PICTURE), ContentID: 'logo' },
          ],
        }),
    },
    files: {
      send: (send) =>
        send({
          ...MAIL,
          Attachments: [
            { Filename: 'notes.txt', ContentType: 'text/plain', Base64Content: base64('Grüße') },
            { Filename: 'Übersicht.pdf', ContentType: 'application/pdf', Base64Content: base64(DOCUMENT) },
            { Filename: 'orders.csv', ContentType: 'text/csv', Base64Content: base64('id\n17\n') },
          ],
        }),
    },
    'several to reply to': 'Mailjet takes one address for replies',
    'template for three': {
      with: { templateId: '4958293' },
      send: (send) =>
        send(
          ...[
            [{ Name: 'Ann', Email: 'ann@example.org' }, 'Ann'] as const,
            [{ Email: 'bob@example.org' }, 'Bob'] as const,
            [{ Email: 'cid@example.org' }, 'Cid'] as const,
          ].map(([to, name]) => ({
            From: { Email: 'shop@example.com' },
            To: [to],
            TemplateID: 4958293,
            TemplateLanguage: true,
            Variables: { shop: 'Books', name },
          })),
        ),
    },
    'three mails': {
      send: (send) =>
        send(
          { ...MAIL, Subject: 'One' },
          { Subject: 'Two', HTMLPart: '<p>Two</p>', From: MAIL.From, To: [{ Email: 'bob@example.org' }] },
          { ...MAIL, Subject: 'Three', HTMLPart: '<p>Three</p>', To: [{ Email: 'cid@example.org' }] },
        ),
    },
    'idempotency key': 'Mailjet has no such keys',
    schedule: 'Mailjet sends at once',
  },
});
