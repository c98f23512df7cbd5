// @ts-check
import { crc32, deflateSync } from 'node:zlib';

/** @typedef {{ readonly title: string, readonly message: import('../../src/index.ts').EmailMessageInit }} DemoMail */

/** The mails of the demo, from a plain one to one that is partly refused. @type {(from: string, to: string) => DemoMail[]} */
export function demoMails(from, to) {
  return [
    {
      title: 'A plain mail',
      message: { subject: 'Welcome!', body: 'Thanks for signing up.\n', fromEmail: from, to },
    },
    {
      title: 'HTML with an inline image',
      message: {
        subject: 'Your weekly summary',
        body: 'Three new followers this week.\n',
        htmlBody: '<h1>Three new followers</h1>\n<p><img src="cid:chart" alt="a chart" width="64" height="64"></p>\n',
        fromEmail: { name: 'Weekly Summary', address: from },
        to,
        attachments: [{ filename: 'chart.png', content: drawChart(), contentId: 'chart' }],
      },
    },
    {
      title: 'An attachment, and non-ASCII everywhere',
      message: {
        subject: 'Rechnung für März – 請求書 🧾',
        body: 'Grüße aus Köln!\nよろしくお願いします。\n.\nThe line above is a single dot.\n',
        fromEmail: { name: 'Jörg Müller (Büro)', address: from },
        to: { name: 'Zoë 山田', address: to },
        attachments: [
          { filename: 'Rechnung März 請求書.csv', content: 'Artikel;Preis\nKäse;4,20 €\n', mimetype: 'text/csv' },
        ],
      },
    },
    {
      title: 'Some recipients are refused',
      message: {
        subject: 'Meeting moved to ten',
        body: 'See you there.\n',
        fromEmail: from,
        to: [to, 'nobody@example.com'],
        cc: 'busy@example.com',
        bcc: 'boss@example.com',
      },
    },
  ];
}

/** A PNG of 64 by 64 pixels, generated so that the demo needs no file. */
function drawChart() {
  const size = 64;
  const rows = Buffer.alloc(size * (size + 1));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) rows[y * (size + 1) + 1 + x] = size - y < (x >> 4) * 12 + 16 ? 1 : 0;
  }
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', Buffer.from([0, 0, 0, size, 0, 0, 0, size, 8, 3, 0, 0, 0])),
    chunk('PLTE', Buffer.from([0xee, 0xf2, 0xf7, 0x2f, 0x6f, 0xeb])),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** @type {(type: string, data: Buffer) => Buffer} */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), framed.length - 4);
  return framed;
}
