import { sendMail } from 'amsdal-mail';
import { after } from 'next/server';

export async function POST() {
  after(async () => {
    try {
      await sendMail({
        subject: 'After the response',
        message: 'Hello',
        fromEmail: 'app@example.com',
        recipientList: ['ann@example.org'],
      });
    } catch (error) {
      console.error(error); // nobody else sees it
    }
  });
  return Response.json({ accepted: true }, { status: 202 });
}
