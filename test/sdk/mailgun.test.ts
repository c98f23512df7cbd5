import FormData from 'form-data';
import Mailgun from 'mailgun.js';
import { getConnection } from '../../src/index.ts';
import { DOCUMENT, LATER, PICTURE } from './messages.ts';
import { describeSdk } from './oracle.ts';

const KEY = '0123456789abcdef0123456789abcdef-01234567-89abcdef';
const DOMAIN = 'mg.example.com';
const MAIL = { subject: 'Hello', text: 'Hello', from: 'shop@example.com', to: ['ann@example.org'] };

describeSdk('mailgun', {
  connect: () => getConnection('mailgun', { apiKey: KEY, domain: DOMAIN, maxConnections: 1 }),
  sdk: () => new Mailgun(FormData).client({ username: 'api', key: KEY }).messages,
  answer: () => ({ body: { id: '<id-0@mg.example.com>', message: 'Queued. Thank you.' } }),
  cases: {
    'text and HTML': { send: (messages) => messages.create(DOMAIN, { ...MAIL, html: '<p>Hello</p>' }) },
    'all fields': {
      send: (messages) =>
        messages.create(DOMAIN, {
          subject: 'Your order 17',
          text: 'Thank you.',
          html: '<p>Thank you.</p>',
          from: 'Shop <shop@example.com>',
          to: ['Ann <ann@example.org>', 'bob@example.org'],
          cc: 'Cid <cid@example.org>',
          bcc: 'dan@example.org',
          'h:Reply-To': 'Help <help@example.com>',
          'h:X-Order': '17',
          'o:tag': ['receipt'],
          'v:order': '17',
          'o:tracking-opens': 'yes',
          'o:tracking-clicks': 'yes',
        }),
    },
    'names beyond ASCII': {
      send: (messages) =>
        messages.create(DOMAIN, {
          ...MAIL,
          subject: 'Größe 日本',
          from: '"Müller, Jörg" <shop@example.com>',
          to: ['山田 太郎 <yamada@example.org>'],
        }),
    },
    'picture in the text': {
      send: (messages) =>
        messages.create(DOMAIN, {
          ...MAIL,
          html: '<img src="cid:logo">',
          inline: [{ filename: 'logo', data: Buffer.from(PICTURE), contentType: 'image/png' }],
        }),
    },
    files: {
      send: (messages) =>
        messages.create(DOMAIN, {
          ...MAIL,
          attachment: [
            { filename: 'notes.txt', data: Buffer.from('Grüße'), contentType: 'text/plain; charset=utf-8' },
            { filename: 'Übersicht.pdf', data: Buffer.from(DOCUMENT), contentType: 'application/pdf' },
            { filename: 'orders.csv', data: Buffer.from('id\n17\n'), contentType: 'text/csv; charset=utf-8' },
          ],
        }),
    },
    'several to reply to': {
      send: (messages) =>
        messages.create(DOMAIN, { ...MAIL, 'h:Reply-To': 'Help <help@example.com>, sales@example.com' }),
    },
    'template for three': {
      send: (messages) =>
        messages.create(DOMAIN, {
          from: 'shop@example.com',
          to: ['Ann <ann@example.org>', 'bob@example.org', 'cid@example.org'],
          template: 'welcome',
          'recipient-variables': JSON.stringify({
            'ann@example.org': { shop: 'Books', name: 'Ann' },
            'bob@example.org': { shop: 'Books', name: 'Bob' },
            'cid@example.org': { shop: 'Books', name: 'Cid' },
          }),
          'v:shop': '%recipient.shop%',
          'v:name': '%recipient.name%',
        }),
    },
    'three mails': {
      send: async (messages) => {
        await messages.create(DOMAIN, { ...MAIL, subject: 'One' });
        const html = '<p>Two</p>';
        await messages.create(DOMAIN, { subject: 'Two', html, from: 'shop@example.com', to: ['bob@example.org'] });
        await messages.create(DOMAIN, { ...MAIL, subject: 'Three', html: '<p>Three</p>', to: ['cid@example.org'] });
      },
    },
    'idempotency key': 'Mailgun has no such keys',
    schedule: {
      send: (messages) =>
        messages.create(DOMAIN, { ...MAIL, 'o:deliverytime': LATER.toUTCString().replace('GMT', '+0000') }),
    },
  },
});
