// @ts-check
// An invoice as PDF, signed with DKIM: npm run build && node examples/invoice.js
// Sends where AMSDAL_EMAIL_URL says; without it, the mail is written to the folder ./mails.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { env, stdout } from 'node:process';
import { EmailMessage, getConnection } from 'amsdal-mail';

const dkim = { domain: 'example.com', selector: 'invoices', privateKey: readKey() };
const connection = env['AMSDAL_EMAIL_URL']
  ? getConnection(env['AMSDAL_EMAIL_URL'], { dkim })
  : getConnection('file', { path: 'mails', dkim });

const invoice = { number: '2026-0042', customer: 'Jane Doe', address: 'jane@example.org', total: '120.00 EUR' };
const status = await connection.sendMessages([
  new EmailMessage({
    fromEmail: 'Example Billing <billing@example.com>',
    to: { name: invoice.customer, address: invoice.address },
    subject: `Invoice ${invoice.number}`,
    body: `Dear ${invoice.customer},\n\nyour invoice over ${invoice.total} is attached.`,
    attachments: [{ filename: `invoice-${invoice.number}.pdf`, content: makePdf(invoice) }],
  }),
]);
await connection.close();
for (const { address, status: outcome, response } of status.recipients.values()) {
  stdout.write(`${address}: ${outcome}, ${response}\n`);
}

/** The key whose public half stands in the DNS; for a first try, one of its own. */
function readKey() {
  if (env['DKIM_KEY_FILE']) return readFileSync(env['DKIM_KEY_FILE'], 'utf8');
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey;
}

/** The smallest PDF with a line of text; a library of yours makes a nicer one. @param {typeof invoice} of */
function makePdf({ number, customer, total }) {
  const text = `BT /F1 18 Tf 60 760 Td (Invoice ${number} for ${customer}: ${total}) Tj ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>',
    `<< /Length ${text.length} >>\nstream\n${text}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let pdf = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = pdf.length;
    pdf += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}`;
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${pdf.length}\n%%EOF\n`;
  return new TextEncoder().encode(pdf + table + trailer);
}
