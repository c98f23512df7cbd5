import {
  ConfigurationError,
  type DeliveryStatus,
  EmailError,
  EmailMessage,
  getConnection,
  MessageError,
  SendError,
  type SendMailInit,
  type SendStatus,
  type SmtpBackend,
  sendMail,
} from 'amsdal-mail';
import { startMail } from 'amsdal-mail/app';
import { ConsoleBackend, type ConsoleOptions } from 'amsdal-mail/console';
import { composeMessage } from 'amsdal-mail/mime';
import { MailModule } from 'amsdal-mail/nest';
import { redirect } from 'amsdal-mail/redirect';
import { createInbox, expectMail, type Inbox, links } from 'amsdal-mail/testing';
import { mailMatchers } from 'amsdal-mail/testing/jest';

// What a program does with the types, and what they refuse. Compiled by every TypeScript, with every resolution.

declare const console: { log(...values: unknown[]): void };

/** What is only about types is compiled, not run. */
export function typesAlone(status: SendStatus): void {
  const smtp: SmtpBackend = getConnection('smtp', { host: 'mail.example.com', useTls: true, retry: { attempts: 3 } });
  const gmail: SmtpBackend = getConnection('gmail', { username: 'jane', password: 'secret' });
  const options: ConsoleOptions = { defaultFrom: 'a@example.com' };
  const state: DeliveryStatus = 'queued';
  const answers: readonly (string | undefined)[] = [...status.recipients.values()].map(
    ({ response }) => response ?? '',
  );
  const module = MailModule.forRoot({ verify: true });
  console.log(smtp.stats().connections, gmail, new ConsoleBackend(options), state, answers, module, mailMatchers);
  const read: Promise<EmailMessage> = EmailMessage.fromEml(new Uint8Array());
  console.log(read, redirect(smtp, { to: 'team@example.com' }), startMail({ verify: true }));

  // @ts-expect-error: it is `host`
  getConnection('smtp', { hots: 'mail.example.com' });
  // @ts-expect-error: it is a number
  getConnection('gmail', { port: '587' });
  // @ts-expect-error: it is `subject`
  sendMail({ subjct: 'Hello', message: 'x', recipientList: 'b@example.org' });
  // @ts-expect-error: it is `sent`
  const delivered: DeliveryStatus = 'delivered';
  // @ts-expect-error: there is no such status
  console.log(status.recipients.get('b@example.org')?.status === 'bounced', delivered);
  // @ts-expect-error: a status is not changed
  status.isSuccess = true;
  // @ts-expect-error: it is `to` here, and `recipientList` of sendMail
  new EmailMessage({ subject: 'Hello', body: 'x', recipientList: 'b@example.org' });
}

async function refusal(init: SendMailInit): Promise<EmailError> {
  try {
    await sendMail(init);
  } catch (error) {
    if (error instanceof EmailError) return error;
    throw error;
  }
  throw new Error('it was sent');
}

async function main(): Promise<void> {
  await using connection = getConnection('dummy', { store: true });
  const mail = { subject: 'Hello', message: 'x', fromEmail: 'a@example.com', recipientList: ['b@example.org'] };
  const status: SendStatus = await sendMail({ ...mail, connection });
  const outcome: DeliveryStatus | undefined = status.recipients.get('b@example.org')?.status;

  const invalid = await refusal({ ...mail, connection, recipientList: ['nobody'] });
  const issues: readonly string[] = invalid instanceof MessageError ? invalid.issues.map(({ path }) => path) : [];
  if (issues[0] !== 'recipientList[0]') throw new Error(`the fault is of ${issues}`);

  let misspelt = '';
  try {
    getConnection('dummy', JSON.parse('{ "stor": true }'));
  } catch (error) {
    if (error instanceof ConfigurationError && error.code === 'unknown-option') misspelt = error.code;
  }

  const inbox: Inbox = createInbox();
  inbox.refuse('b@example.org', 550);
  const refused = await refusal({ ...mail, connection: inbox });
  const code: number | undefined = refused instanceof SendError ? refused.reply?.code : undefined;
  await sendMail({ ...mail, message: 'https://example.com/', recipientList: ['c@example.org'], connection: inbox });
  expectMail(inbox).toHaveSentTimes(1);
  const [link] = links(await inbox.waitFor({ to: 'c@example.org' }));
  if (link !== 'https://example.com/') throw new Error(`the link is ${link}`);

  const [stored] = connection.messages;
  if (stored === undefined) throw new Error('nothing is stored');
  const bytes: Uint8Array = composeMessage(stored);
  if (bytes.length === 0) throw new Error('nothing is composed');
  console.log(outcome, invalid.code, misspelt, code);
}

void main();
