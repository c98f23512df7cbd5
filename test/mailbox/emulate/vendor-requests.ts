import { afterEach, beforeEach } from 'vitest';
import { type MailboxServer, startMailbox } from '../../../src/mailbox/mailbox.ts';

/** A key for each vendor. */
export const KEYS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  resend: { authorization: 'Bearer test' },
  sendgrid: { authorization: 'Bearer test' },
  postmark: { 'x-postmark-server-token': 'POSTMARK_API_TEST' },
  mailgun: { authorization: `Basic ${btoa('api:test')}` },
  brevo: { 'api-key': 'test' },
  mailjet: { authorization: `Basic ${btoa('test:test')}` },
  mailtrap: { authorization: 'Bearer test' },
  mailersend: { authorization: 'Bearer test' },
  sparkpost: { authorization: 'test' },
  mandrill: {}, // it is in the body
  azure: {
    authorization: 'HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=x',
    'x-ms-date': 'Mon, 30 Nov 2026 12:00:00 GMT',
    'x-ms-content-sha256': 'x',
  },
  'gmail-api': { authorization: 'Bearer test' },
  'microsoft-graph': { authorization: 'Bearer test' },
  cloudflare: { authorization: 'Bearer test' },
  ses: { authorization: 'AWS4-HMAC-SHA256 Credential=test' },
};
/** What says that a body is JSON. */
export const JSON_TYPE = { 'content-type': 'application/json' };

/** The vendor, the path below its base URL, the body and the headers of a request. */
export type Post = readonly [vendor: string, path: string, body: unknown, headers?: Readonly<Record<string, string>>];

/** What a vendor's endpoint of a mailbox answers to a body; an object that is no form is written as JSON. */
export async function askAt(url: string, method: string, ...[vendor, path, body, headers]: Post) {
  const isForm = body instanceof FormData || body instanceof URLSearchParams;
  const answer = await fetch(`${url}/api/emulate/${vendor}${path}`, {
    method,
    headers: headers ?? { ...KEYS[vendor], ...(!isForm && JSON_TYPE) },
    ...(body !== null && {
      body: isForm || typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body),
    }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
  };
}

/** The newest caught mail, as the API shows it. */
// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
async function newestOf(url: string): Promise<any> {
  const { messages } = await (await fetch(`${url}/api/messages`)).json();
  return (await fetch(`${url}/api/messages/${messages[0].id}`)).json();
}

/** How many mails a mailbox has caught. */
async function countOf(url: string): Promise<number> {
  return (await (await fetch(`${url}/api/messages`)).json()).total;
}

/** A mailbox of its own for each test of a file, and what is asked of it. */
export function testMailbox() {
  let mailbox: MailboxServer;
  beforeEach(async () => {
    mailbox = (await startMailbox({ port: 0, smtpPort: null })) as MailboxServer; // the class behind the interface
  });
  afterEach(() => mailbox.close());
  return {
    url: () => mailbox.url,
    ask: (method: string, ...request: Post) => askAt(mailbox.url, method, ...request),
    post: (...request: Post) => askAt(mailbox.url, 'POST', ...request),
    newest: () => newestOf(mailbox.url),
    count: () => countOf(mailbox.url),
  };
}

export const RESEND = { from: 'Acme <a@example.com>', to: 'b@example.org', subject: 's', html: '<p>Hi</p>' };
export const SENDGRID = {
  personalizations: [{ to: [{ email: 'b@example.org' }] }],
  from: { email: 'a@example.com', name: 'Acme' },
  subject: 's',
  content: [{ type: 'text/html', value: '<p>Hi</p>' }],
};
export const POSTMARK = { From: 'Acme <a@example.com>', To: 'b@example.org', Subject: 's', HtmlBody: '<p>Hi</p>' };
export const MAILGUN = { from: 'Acme <a@example.com>', to: 'b@example.org', subject: 's', html: '<p>Hi</p>' };
export const BREVO = {
  sender: { email: 'a@example.com' },
  to: [{ email: 'b@example.org' }],
  subject: 's',
  textContent: 'x',
};
const JSON_BOX = { email: 'b@example.org' };
export const MAILJET = {
  Messages: [{ From: { Email: 'a@example.com' }, To: [{ Email: 'b@example.org' }], Subject: 's', TextPart: 'x' }],
};
export const MAILTRAP = { from: { email: 'a@example.com' }, to: [JSON_BOX], subject: 's', text: 'x' };
export const MAILERSEND = { from: { email: 'a@example.com' }, to: [JSON_BOX], subject: 's', text: 'x' };
export const SPARKPOST = {
  recipients: [{ address: JSON_BOX }],
  content: { from: 'Acme <a@example.com>', subject: 's', text: 'x' },
};
export const MANDRILL = {
  key: 'test',
  message: { from_email: 'a@example.com', to: [JSON_BOX], subject: 's', text: 'x' },
};
export const AZURE = {
  senderAddress: 'a@example.com',
  recipients: { to: [{ address: 'b@example.org' }] },
  content: { subject: 's', plainText: 'x' },
};
export const GRAPH = {
  message: {
    subject: 's',
    body: { contentType: 'Text', content: 'x' },
    from: { emailAddress: { address: 'a@example.com' } },
    toRecipients: [{ emailAddress: { address: 'b@example.org' } }],
  },
};
/** A mail in its own source. */
export const SOURCE = 'From: a@example.com\r\nTo: b@example.org\r\nSubject: s\r\n\r\nx\r\n';
export const CLOUDFLARE = { from: 'a@example.com', to: 'b@example.org', subject: 's', text: 'x' };
export const SES = {
  FromEmailAddress: 'a@example.com',
  Destination: { ToAddresses: ['b@example.org'] },
  Content: { Simple: { Subject: { Data: 's' }, Body: { Text: { Data: 'x' } } } },
};
export const SEND = '/accounts/0123456789abcdef0123456789abcdef/email/sending/send';
export const EMAILS_SEND = '/emails:send?api-version=2025-09-01';
export const GMAIL_SEND = '/gmail/v1/users/me/messages/send';
export const OUTBOUND = '/v2/email/outbound-emails';
export const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields);
