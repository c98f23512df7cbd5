import { expect, test } from 'vitest';
import { catchFrom } from '../clients.ts';

const SCRIPT = `
import smtplib, ssl
from email.message import EmailMessage
mail = EmailMessage()
mail['Subject'] = 'Grüße aus Python'
mail['From'] = 'Anna <anna@example.com>'
mail['To'] = 'bob@example.com'
mail.set_content('Hallo')
mail.add_alternative('<p>Hallo</p>', subtype='html')
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
with smtplib.SMTP('127.0.0.1', PORT) as client:
    client.starttls(context=context)
    client.login('anna', 'any password')
    client.send_message(mail)
`;

test("Python's smtplib delivers, with STARTTLS and a password", async () => {
  expect(await catchFrom('/usr/bin/python3', ['-c', SCRIPT])).toMatchObject({
    subject: 'Grüße aus Python',
    html: expect.stringContaining('<p>Hallo</p>'),
    facts: { tls: true, user: 'anna' },
  });
});
