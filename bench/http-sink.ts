// A vendor that takes everything, in a process of its own: it reads requests by their lengths and looks at none. The parent
// process is told its port.
import { createServer } from 'node:http';

const TAKEN = JSON.stringify({
  ...{ id: '<id-0@example.com>', message: 'Queued. Thank you.' }, // Resend, Mailgun
  ...{ ErrorCode: 0, Message: 'OK', MessageID: 'id-0' }, // Postmark
  messageId: '<id-0@example.com>', // Brevo
  ...{ success: true, message_ids: ['id-0'], Status: 'success', To: [] }, // Mailtrap, Mailjet
  results: { id: 'id-0', total_accepted_recipients: 1, total_rejected_recipients: 0 }, // SparkPost
  status: 'Running', // Azure
});
const list = (count: number): string => `[${Array(count).fill(TAKEN).join()}]`;
/** Batches are answered as if they were full. */
const ANSWERS: Readonly<Record<string, readonly [number, string]>> = {
  '/v3/mail/send': [202, ''], // SendGrid
  '/v1/email': [202, ''], // MailerSend
  '/emails:send': [202, TAKEN], // Azure
  '/emails/batch': [200, `{"data":${list(100)}}`], // Resend
  '/email/batch': [200, list(500)], // Postmark
  '/v3.1/send': [200, `{"Messages":${list(50)}}`], // Mailjet
  '/api/batch': [200, `{"success":true,"responses":${list(500)}}`], // Mailtrap
};

const HEADERS = {
  'content-type': 'application/json',
  'x-message-id': 'id-0', // SendGrid, MailerSend
  'operation-location': 'https://shop.communication.azure.com/emails/operations/id-0', // Azure
};

const server = createServer((request, response) => {
  request.resume().once('end', () => {
    const [status, body] = ANSWERS[request.url?.split('?')[0] ?? ''] ?? [200, TAKEN];
    response.writeHead(status, HEADERS).end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : 0);
});
process.on('disconnect', () => process.exit());
