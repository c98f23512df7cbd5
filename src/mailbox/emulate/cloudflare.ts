import type { EmailMessageInit } from '../../model/message-init.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, fileOf, headerFields } from './fields.ts';
import { addressOf } from './people.ts';
import { hasBearer, statusOf, textOf } from './refusals.ts';
import { Choice, type Table, TEXT_OR_LIST } from './shape.ts';
import { endpoint, type Outcome, type Problem, type Vendor } from './vendor.ts';

const PERSON = new Choice('text', { 'address!': 'text', name: 'text' });
// https://developers.cloudflare.com/email-service/api/send-emails/rest-api/, read 2026-11-30
const EMAIL: Table = {
  'from!': PERSON,
  'to!': TEXT_OR_LIST,
  cc: TEXT_OR_LIST,
  bcc: TEXT_OR_LIST,
  reply_to: PERSON,
  'subject!': 'text',
  text: 'text',
  html: 'text',
  headers: 'texts',
  attachments: [
    { 'content!': 'base64', 'filename!': 'text', 'type!': 'text', 'disposition!': 'text', content_id: 'text' },
  ],
};
// https://developers.cloudflare.com/api/resources/email_sending/methods/send_raw, read 2026-11-30
const RAW: Table = { 'from!': 'text', 'recipients!': ['text'], 'mime_message!': 'text' };

type Person = string | { readonly address: string; readonly name?: string };
type People = string | readonly string[];
interface Email {
  readonly from: Person;
  readonly to: People;
  readonly cc?: People;
  readonly bcc?: People;
  readonly reply_to?: Person;
  readonly subject: string;
  readonly text?: string;
  readonly html?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly attachments?: readonly File[];
}
interface File {
  readonly content: string;
  readonly filename: string;
  readonly type: string;
  readonly content_id?: string;
}
interface Raw {
  readonly from: string;
  readonly recipients: readonly string[];
  readonly mime_message: string;
}

const box = (person: Person) => (typeof person === 'string' ? person : addressOf(person.address, person.name));

function messageOf(email: Email): EmailMessageInit {
  const { init, left } = headerFields(Object.entries(email.headers ?? {}));
  return {
    ...init,
    fromEmail: box(email.from),
    to: email.to,
    cc: email.cc ?? [],
    bcc: email.bcc ?? [],
    ...(email.reply_to !== undefined && { replyTo: box(email.reply_to) }),
    subject: email.subject,
    ...(email.text !== undefined && { body: email.text }),
    htmlBody: email.html ?? null,
    attachments: (email.attachments ?? []).map((file) =>
      fileOf(file.content, file.filename, file.type, file.content_id),
    ),
    ...extraOf('cloudflare', { headers: left }),
  };
}

const answer = ([outcome]: readonly Outcome[]): Reply => {
  const result = {
    delivered: [],
    queued: outcome?.accepted,
    permanent_bounces: outcome?.refused,
    message_id: outcome?.ids[0],
  };
  return jsonReply({ success: true, errors: [], messages: [], result });
};

/** Cloudflare Email Service. */
export const vendor: Vendor = {
  names: { fromEmail: 'from', replyTo: 'reply_to', body: 'text', htmlBody: 'html' },
  hasKey: hasBearer,
  refuse,
  endpoints: {
    'POST /accounts/*/email/sending/send': endpoint<Email>({
      shape: EMAIL,
      mails: (email) => [messageOf(email)],
      answer,
    }),
    'POST /accounts/*/email/sending/send_raw': endpoint<Raw>({
      shape: RAW,
      mails: ({ from, recipients, mime_message }) => [{ source: Buffer.from(mime_message), from, recipients }],
      answer,
    }),
    'GET /user/tokens/verify': () =>
      jsonReply({ success: true, errors: [], messages: [], result: { id: '1', status: 'active' } }),
  },
};

function refuse(problems: readonly [Problem, ...Problem[]]): Reply {
  const errors = problems.map((problem) =>
    problem.kind === 'key'
      ? { code: 10_000, message: 'Authentication error' }
      : { code: 10_001, message: textOf(problem) },
  );
  return jsonReply({ success: false, errors, messages: [], result: null }, statusOf(problems[0]));
}
