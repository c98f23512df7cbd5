// A vendor that takes everything, in a process of its own: it reads requests by their lengths and looks at none. The parent
// process is told its port.
import { createServer } from 'node:http';

const UUID = '49a3999c-0ce1-4ea6-ab68-afcd6dc2e794';
const MAILJET = {
  ...{ Status: 'success', CustomID: '', Cc: [], Bcc: [] },
  To: [
    {
      Email: 'user@example.org',
      MessageUUID: UUID,
      MessageID: 456,
      MessageHref: 'https://api.mailjet.com/v3/REST/message/456',
    },
  ],
};
const POSTMARK = {
  ...{ To: 'user@example.org', SubmittedAt: '2014-02-17T07:25:01.4178645-05:00', MessageID: UUID },
  ...{ ErrorCode: 0, Message: 'OK' },
};
const MAILTRAP = { success: true, message_ids: [UUID] };
const list = <T>(count: number, entry: T): T[] => Array(count).fill(entry);
/** What each vendor says of one mail, and of a batch as if it were full. */
const ANSWERS: Readonly<Record<string, readonly [number, object | null]>> = {
  '/emails': [200, { id: UUID }], // Resend
  '/emails/batch': [200, { data: list(100, { id: UUID }) }],
  '/v3/mail/send': [202, null], // SendGrid
  '/email': [200, POSTMARK],
  '/email/batch': [200, list(500, POSTMARK)],
  '/v3/example.com/messages': [200, { id: '<20111114174239.25659.5817@example.com>', message: 'Queued. Thank you.' }], // Mailgun
  '/v3/smtp/email': [201, { messageId: '<201798300811.5787683@relay.domain.com>' }], // Brevo
  '/v3.1/send': [200, { Messages: list(50, MAILJET) }],
  '/api/send': [200, MAILTRAP],
  '/api/batch': [200, { success: true, responses: list(500, MAILTRAP) }],
  '/v1/email': [202, null], // MailerSend
  '/api/v1/transmissions': [
    200,
    { results: { id: '11668787484950529', total_accepted_recipients: 1, total_rejected_recipients: 0 } }, // SparkPost
  ],
  '/emails:send': [202, { id: UUID, status: 'Running' }], // Azure
  [`/emails/operations/${UUID}`]: [200, { id: UUID, status: 'Running' }],
};
const BODIES = new Map(
  Object.entries(ANSWERS).map(([path, [status, body]]) => [
    path,
    { status, text: body === null ? '' : JSON.stringify(body) },
  ]),
);

const HEADERS = {
  'content-type': 'application/json',
  'x-message-id': UUID, // SendGrid, MailerSend
  'operation-location': `https://shop.communication.azure.com/emails/operations/${UUID}`, // Azure
};

const server = createServer((request, response) => {
  request.resume().once('end', () => {
    const { status, text } = BODIES.get(request.url?.split('?')[0] ?? '') ?? { status: 404, text: '' };
    response.writeHead(status, HEADERS).end(text);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : 0);
});
process.on('disconnect', () => process.exit());
