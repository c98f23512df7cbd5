import type { EmailMessageInit } from '../../src/model/message-init.ts';

/** A picture of 560 by 200, blue. */
const BANNER = `<svg xmlns="http://www.w3.org/2000/svg" width="560" height="200"><defs><linearGradient id="g" x2="1" y2="1"><stop stop-color="#4a54c4"/><stop offset="1" stop-color="#8f6bdc"/></linearGradient></defs><rect width="560" height="200" fill="url(#g)"/><g fill="none" stroke="#fff" stroke-opacity=".3" stroke-width="2"><circle cx="470" cy="40" r="90"/><circle cx="470" cy="40" r="130"/><circle cx="470" cy="40" r="170"/></g><text x="40" y="95" font-family="Inter,Helvetica,Arial,sans-serif" font-size="30" font-weight="700" fill="#fff">Northwind Coffee</text><text x="40" y="130" font-family="Inter,Helvetica,Arial,sans-serif" font-size="16" fill="#fff" fill-opacity=".85">Roasted on Tuesdays, on your table by Friday.</text></svg>`;

const RECEIPT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>@media (prefers-color-scheme: dark) { .page { background: #17181d !important; } .card { background: #22242b !important; color: #ecedf1 !important; } .soft { color: #a4a8b5 !important; } td { border-color: #363944 !important; } }</style></head>
<body style="margin:0;font-family:Inter,Helvetica,Arial,sans-serif;color:#1a1b20">
<div class="page" style="background:#f2f2f5;padding:28px 12px"><div class="card" style="max-width:560px;margin:0 auto;background:#fff;border-radius:14px;overflow:hidden">
<img src="cid:banner" alt="Northwind Coffee" width="560" height="200" style="display:block;width:100%;height:auto">
<div style="padding:28px 36px 36px"><h1 style="font-size:22px;margin:0 0 6px">Thank you, Ada</h1>
<p class="soft" style="margin:0 0 22px;color:#5b5f6b;line-height:1.6">Your order <strong>NW-20418</strong> is being roasted. We write again when it leaves the house.</p>
<table width="100%" style="border-collapse:collapse;font-size:14px">
<tr><td style="padding:10px 0;border-bottom:1px solid #e6e6eb">Yirgacheffe, whole beans, 500 g</td><td align="right" style="border-bottom:1px solid #e6e6eb">€ 18.50</td></tr>
<tr><td style="padding:10px 0;border-bottom:1px solid #e6e6eb">Paper filters, 100</td><td align="right" style="border-bottom:1px solid #e6e6eb">€ 4.20</td></tr>
<tr><td style="padding:12px 0"><strong>Total</strong></td><td align="right"><strong>€ 22.70</strong></td></tr></table>
<p style="margin:26px 0 0"><a href="https://northwind.example/orders/NW-20418" style="display:inline-block;background:#4a54c4;color:#fff;text-decoration:none;padding:12px 22px;border-radius:9px;font-weight:600">Follow the order</a></p>
</div></div></div></body></html>`;

/** Mails as a shop sends them, oldest first; the last one is what README shows. */
export const SAMPLE_MAILS: readonly EmailMessageInit[] = [
  {
    fromEmail: 'Build <ci@forge.example>',
    to: ['dev@northwind.example'],
    subject: 'Build #1841 failed on main',
    body: 'test/orders.test.ts: expected 2 mails, got 1\n\nhttps://forge.example/builds/1841',
    tags: ['ci'],
  },
  {
    fromEmail: 'Priya Raman <priya@northwind.example>',
    to: ['Team <team@northwind.example>'],
    cc: ['Jonas Weiß <jonas@northwind.example>'],
    subject: 'Tasting notes and the new price list',
    body: 'Hi all,\n\nthe new price list is attached, together with the notes of Tuesday.\n\nPriya',
    attachments: [
      { filename: 'prices-2026.csv', content: 'name,price\nYirgacheffe,18.50\nHuila,16.90\n' },
      { filename: 'tasting notes.pdf', content: new Uint8Array(48_213) },
    ],
  },
  {
    fromEmail: { name: 'Northwind Coffee', address: 'hello@northwind.example' },
    to: ['sam@example.com'],
    subject: 'Your sign-in code is 482 913',
    body: 'Your sign-in code is 482 913. It is valid for ten minutes.',
    tags: ['sign-in'],
  },
  {
    fromEmail: 'Northwind Coffee <hello@northwind.example>',
    to: ['Chloé Moreau <chloe@example.com>'],
    subject: 'Votre café arrive demain ☕',
    body: 'Bonjour Chloé, votre commande sera livrée demain entre 9 h et 12 h. À très bientôt !',
    tags: ['shipping'],
  },
  {
    fromEmail: 'Billing <billing@northwind.example>',
    to: ['Café Lumière <orders@lumiere.example>'],
    subject: 'Invoice 2026-0311',
    body: 'Please find the invoice attached.',
    attachments: [{ filename: 'invoice-2026-0311.pdf', content: new Uint8Array(18_000) }],
    tags: ['invoice'],
  },
  {
    fromEmail: 'Northwind Coffee <hello@northwind.example>',
    to: ['Ada Lovelace <ada@example.com>'],
    bcc: ['archive@northwind.example'],
    subject: 'Your order NW-20418 is being roasted',
    body: 'Thank you, Ada. Your order NW-20418 is being roasted. We write again when it leaves the house.',
    htmlBody: RECEIPT,
    attachments: [
      { filename: 'banner.svg', content: BANNER, contentId: 'banner' },
      { filename: 'receipt.ics', content: 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n' },
    ],
    tags: ['order', 'receipt'],
    metadata: { order: 'NW-20418' },
  },
];
