import { sendMail } from 'amsdal-mail';
import { redirect } from 'next/navigation';

async function send(form) {
  'use server';
  const status = await sendMail({
    subject: 'From a server action',
    message: String(form.get('text')),
    fromEmail: 'app@example.com',
    recipientList: ['ann@example.org'],
  });
  redirect(`/?sent=${status.isSuccess}`);
}

export default function Page() {
  return (
    <form action={send}>
      <input name="text" defaultValue="Hello" />
      <button type="submit">Send</button>
    </form>
  );
}
