import { Resend } from 'resend';
import { expect } from 'vitest';
import { getConnection } from '../../src/index.ts';
import { DOCUMENT, LATER, PICTURE } from './messages.ts';
import { describeSdk } from './oracle.ts';

const MAIL = { subject: 'Hello', text: 'Hello', from: 'shop@example.com', to: ['ann@example.org'] };
describeSdk('resend', {
  connect: () => getConnection('resend', { apiKey: 're_123', maxConnections: 1 }),
  sdk: () => new Resend('re_123'),
  ownKey: {
    at: 'headers.idempotency-key',
    sdk: undefined,
    ours: expect.any(String),
    why: 'a lost answer is asked for again with it',
  },
  answer: ({ path, body }) =>
    path === '/emails/batch'
      ? { body: { data: JSON.parse(body.toString()).map((_: unknown, index: number) => ({ id: `id-${index}` })) } }
      : { body: { id: 'id-0' } },
  cases: {
    'text and HTML': {
      send: ({ emails }) => emails.send({ ...MAIL, html: '<p>Hello</p>' }),
    },
    'all fields': {
      send: ({ emails }) =>
        emails.send({
          subject: 'Your order 17',
          text: 'Thank you.',
          html: '<p>Thank you.</p>',
          from: 'Shop <shop@example.com>',
          to: ['Ann <ann@example.org>', 'bob@example.org'],
          cc: ['Cid <cid@example.org>'],
          bcc: ['dan@example.org'],
          replyTo: ['Help <help@example.com>'],
          headers: { 'X-Order': '17' },
          tags: [
            { name: 'tag', value: 'receipt' },
            { name: 'order', value: '17' },
          ],
        }),
    },
    'names beyond ASCII': {
      send: ({ emails }) =>
        emails.send({
          ...MAIL,
          subject: 'Größe 日本',
          from: '"Müller, Jörg" <shop@example.com>',
          to: ['山田 太郎 <yamada@example.org>'],
        }),
    },
    'picture in the text': {
      send: ({ emails }) =>
        emails.send({
          ...MAIL,
          html: '<img src="cid:logo">',
          attachments: [
            { filename: 'logo.png', content: Buffer.from(PICTURE), contentType: 'image/png', contentId: 'logo' },
          ],
        }),
    },
    files: {
      send: ({ emails }) =>
        emails.send({
          ...MAIL,
          attachments: [
            { filename: 'notes.txt', content: Buffer.from('Grüße'), contentType: 'text/plain; charset=utf-8' },
            { filename: 'Übersicht.pdf', content: Buffer.from(DOCUMENT), contentType: 'application/pdf' },
            { filename: 'orders.csv', content: Buffer.from('id\n17\n'), contentType: 'text/csv; charset=utf-8' },
          ],
        }),
    },
    'several to reply to': {
      send: ({ emails }) => emails.send({ ...MAIL, replyTo: ['Help <help@example.com>', 'sales@example.com'] }),
    },
    'template for three': {
      send: ({ batch }) =>
        batch.send(
          [
            ['Ann <ann@example.org>', 'Ann'] as const,
            ['bob@example.org', 'Bob'] as const,
            ['cid@example.org', 'Cid'] as const,
          ].map(([to, name]) => ({
            from: 'shop@example.com',
            to: [to],
            template: { id: 'welcome', variables: { shop: 'Books', name } },
          })),
          { batchValidation: 'permissive' },
        ),
    },
    'three mails': {
      send: ({ batch }) =>
        batch.send(
          [
            { ...MAIL, subject: 'One' },
            { subject: 'Two', html: '<p>Two</p>', from: 'shop@example.com', to: ['bob@example.org'] },
            { ...MAIL, subject: 'Three', html: '<p>Three</p>', to: ['cid@example.org'] },
          ],
          { batchValidation: 'permissive' },
        ),
    },
    'idempotency key': { send: ({ emails }) => emails.send(MAIL, { idempotencyKey: 'order-17' }) },
    schedule: {
      send: ({ emails }) => emails.send({ ...MAIL, scheduledAt: LATER.toISOString() }),
    },
  },
});
