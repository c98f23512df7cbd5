import { sendMail } from 'amsdal-mail';

export async function POST() {
  const status = await sendMail({
    subject: 'From a route',
    message: 'Hello',
    fromEmail: 'app@example.com',
    recipientList: ['ann@example.org'],
  });
  return Response.json({ sent: status.isSuccess });
}
