import type { EmailMessageInit } from '../../src/model/message-init.ts';

/** The bytes of a small picture. */
export const PICTURE: Uint8Array = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** The bytes of a small document. */
export const DOCUMENT: Uint8Array = new TextEncoder().encode('%PDF-1.7\n%%EOF\n');
/** When the mail that is to be sent later is to be sent. */
export const LATER: Date = new Date('2099-12-24T18:30:00.000Z');

const MAIL = { subject: 'Hello', body: 'Hello', fromEmail: 'shop@example.com', to: 'ann@example.org' };

/** The messages that go through each SDK and through ours: one call with one or several of them. */
export const MESSAGES = {
  'text and HTML': [{ ...MAIL, htmlBody: '<p>Hello</p>' }],
  'all fields': [
    {
      subject: 'Your order 17',
      body: 'Thank you.',
      htmlBody: '<p>Thank you.</p>',
      fromEmail: 'Shop <shop@example.com>',
      to: ['Ann <ann@example.org>', 'bob@example.org'],
      cc: 'Cid <cid@example.org>',
      bcc: 'dan@example.org',
      replyTo: 'Help <help@example.com>',
      headers: { 'X-Order': '17' },
      tags: ['receipt'],
      metadata: { order: '17' },
      trackOpens: true,
      trackClicks: true,
    },
  ],
  'names beyond ASCII': [
    {
      ...MAIL,
      subject: 'Größe 日本',
      fromEmail: { name: 'Müller, Jörg', address: 'shop@example.com' },
      to: [{ name: '山田 太郎', address: 'yamada@example.org' }],
    },
  ],
  'picture in the text': [
    {
      ...MAIL,
      htmlBody: '<img src="cid:logo">',
      attachments: [{ filename: 'logo.png', content: PICTURE, mimetype: 'image/png', contentId: 'logo' }],
    },
  ],
  files: [
    {
      ...MAIL,
      attachments: [
        { filename: 'notes.txt', content: 'Grüße', mimetype: 'text/plain' },
        { filename: 'Übersicht.pdf', content: DOCUMENT, mimetype: 'application/pdf' },
        { filename: 'orders.csv', content: 'id\n17\n', mimetype: 'text/csv' },
      ],
    },
  ],
  'several to reply to': [{ ...MAIL, replyTo: ['Help <help@example.com>', 'sales@example.com'] }],
  'template for three': [
    {
      subject: '',
      fromEmail: 'shop@example.com',
      to: ['Ann <ann@example.org>', 'bob@example.org', 'cid@example.org'],
      templateId: 'welcome',
      mergeGlobalData: { shop: 'Books' },
      mergeData: {
        'ann@example.org': { name: 'Ann' },
        'bob@example.org': { name: 'Bob' },
        'cid@example.org': { name: 'Cid' },
      },
    },
  ],
  'three mails': [
    { ...MAIL, subject: 'One' },
    { subject: 'Two', htmlBody: '<p>Two</p>', fromEmail: 'shop@example.com', to: 'bob@example.org' },
    { ...MAIL, subject: 'Three', htmlBody: '<p>Three</p>', to: 'cid@example.org' },
  ],
  'idempotency key': [{ ...MAIL, idempotencyKey: 'order-17' }],
  schedule: [{ ...MAIL, sendAt: LATER }],
} satisfies Readonly<Record<string, readonly EmailMessageInit[]>>;

/** What such a message is called. */
export type MessageName = keyof typeof MESSAGES;

/** Content as most SDKs want it. */
export function base64(content: string | Uint8Array): string {
  return Buffer.from(content).toString('base64');
}
