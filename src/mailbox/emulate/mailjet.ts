import { randomInt, randomUUID } from 'node:crypto';
import type { EmailMessageInit } from '../../model/message-init.ts';
import { parseObject } from '../../util/json.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, fileOf, filled, headerFields, templateOf, textsOf } from './fields.ts';
import { addressOf } from './people.ts';
import { hasBasic, missing, statusOf } from './refusals.ts';
import type { Table } from './shape.ts';
import { endpoint, type Problem, type Vendor } from './vendor.ts';

const PERSON: Table = { 'Email!': 'text', Name: 'text' };
const FILE: Table = { 'ContentType!': 'text', 'Filename!': 'text', 'Base64Content!': 'base64', ContentID: 'text' };
// https://dev.mailjet.com/email/reference/send-emails#v3_1_post_send, read 2026-11-30
const MESSAGE: Table = {
  From: PERSON,
  Sender: PERSON,
  'To!': [PERSON],
  Cc: [PERSON],
  Bcc: [PERSON],
  ReplyTo: PERSON,
  Subject: 'text',
  TextPart: 'text',
  HTMLPart: 'text',
  TemplateID: 'integer',
  TemplateLanguage: 'boolean',
  TemplateErrorReporting: PERSON,
  TemplateErrorDeliver: 'boolean',
  Attachments: [FILE],
  InlinedAttachments: [FILE],
  Priority: 'integer',
  CustomCampaign: 'text',
  DeduplicateCampaign: 'boolean',
  TrackOpens: 'text',
  TrackClicks: 'text',
  CustomID: 'text',
  EventPayload: 'text',
  MonitoringCategory: 'text',
  URLTags: 'text',
  Headers: 'texts',
  Variables: 'object',
};

interface Person {
  readonly Email: string;
  readonly Name?: string;
}
interface Message {
  readonly From?: Person;
  readonly To: readonly Person[];
  readonly Cc?: readonly Person[];
  readonly Bcc?: readonly Person[];
  readonly ReplyTo?: Person;
  readonly Subject?: string;
  readonly TextPart?: string;
  readonly HTMLPart?: string;
  readonly TemplateID?: number;
  readonly TemplateLanguage?: boolean;
  readonly Attachments?: readonly File[];
  readonly InlinedAttachments?: readonly File[];
  readonly CustomCampaign?: string;
  readonly CustomID?: string;
  readonly EventPayload?: string;
  readonly TrackOpens?: string;
  readonly TrackClicks?: string;
  readonly Headers?: Readonly<Record<string, string>>;
  readonly Variables?: Readonly<Record<string, unknown>>;
}
interface File {
  readonly ContentType: string;
  readonly Filename: string;
  readonly Base64Content: string;
  readonly ContentID?: string;
}
interface Body {
  readonly Messages: readonly Message[];
  readonly Globals?: Partial<Message>;
  readonly SandboxMode?: boolean;
}

const box = ({ Email, Name }: Person) => addressOf(Email, Name);
const partsOf = ({ Messages, Globals }: Body): readonly Message[] =>
  Messages.map((message) => ({ ...Globals, ...message }));

function messageOf(message: Message): EmailMessageInit {
  const { From, ReplyTo, TextPart, HTMLPart, TemplateID, TemplateLanguage, Variables, EventPayload } = message;
  const { CustomCampaign, Headers = {}, Attachments = [], InlinedAttachments = [], ...rest } = message;
  if (From === undefined && TemplateID === undefined) missing('From');
  if (TextPart === undefined && HTMLPart === undefined && TemplateID === undefined)
    missing('HTMLPart', 'or TextPart or TemplateID must be provided');
  const write = (text = ''): string =>
    TemplateLanguage ? filled(text, /\{\{\s*var:([\w.-]+)\s*\}\}/g, Variables ?? {}) : text;
  const metadata = parseObject(EventPayload ?? '{}');
  const { init, left } = headerFields(Object.entries(Headers));
  const { CustomID, Priority, Sender, MonitoringCategory, URLTags } = rest as Readonly<Record<string, unknown>>;
  return {
    ...init,
    fromEmail: From === undefined ? 'template@mailjet.invalid' : box(From),
    to: message.To.map(box),
    cc: (message.Cc ?? []).map(box),
    bcc: (message.Bcc ?? []).map(box),
    ...(ReplyTo && { replyTo: box(ReplyTo) }),
    subject: write(message.Subject),
    body: write(TextPart),
    htmlBody: HTMLPart === undefined ? null : write(HTMLPart),
    attachments: [...Attachments, ...InlinedAttachments].map((file) =>
      fileOf(file.Base64Content, file.Filename, file.ContentType, file.ContentID),
    ),
    ...templateOf(TemplateID, Variables),
    tags: CustomCampaign ? [CustomCampaign] : [],
    metadata: textsOf(metadata ?? {}),
    trackOpens: message.TrackOpens === 'enabled',
    trackClicks: message.TrackClicks === 'enabled',
    ...extraOf('mailjet', {
      ...{ CustomID, Priority, Sender, MonitoringCategory, URLTags, headers: left },
      EventPayload: metadata === null ? EventPayload : undefined,
    }),
  };
}

/** Mailjet (https://dev.mailjet.com/email/guides/send-api-v31/). */
export const vendor: Vendor = {
  names: {
    fromEmail: 'From',
    to: 'To',
    cc: 'Cc',
    bcc: 'Bcc',
    replyTo: 'ReplyTo',
    subject: 'Subject',
    body: 'TextPart',
    htmlBody: 'HTMLPart',
    attachments: 'Attachments',
    headers: 'Headers',
    tags: 'CustomCampaign',
    metadata: 'EventPayload',
  },
  // Numbers of 60 bits, which JavaScript rounds.
  newId: () => String(2n ** 60n + BigInt(randomInt(2 ** 47))),
  hasKey: hasBasic,
  refuse: ([problem]) => {
    const error = errorOf(problem);
    return jsonReply(error, error.StatusCode);
  },
  endpoints: {
    'POST /v3.1/send': endpoint<Body, Message>({
      shape: { 'Messages!': ['object'], Globals: 'object', SandboxMode: 'boolean', AdvanceErrorHandling: 'boolean' },
      partShape: MESSAGE,
      max: 50,
      takesParts: () => true,
      parts: partsOf,
      mails: (message) => [messageOf(message)],
      answer: (outcomes, _, body) => {
        const parts = partsOf(body);
        const errors = outcomes.flatMap(({ problem }) => (problem === null ? [] : [errorOf(problem)]));
        const told = outcomes.map((outcome, index) => {
          if (outcome.problem !== null) return { Status: 'error', Errors: [errorOf(outcome.problem)] };
          return toldOf(parts[index], body.SandboxMode ? null : outcome.ids[0]);
        });
        return withNumbers(jsonReply({ Messages: told }, errors[0]?.StatusCode));
      },
    }),
    'GET /v3/REST/sender': () => jsonReply({ Count: 0, Data: [], Total: 0 }),
  },
};

/** @param id of the first recipient's mail; in the sandbox there are none */
function toldOf(message: Message | undefined, id: string | null | undefined): object {
  let number = BigInt(id ?? 0);
  const copies = (people: readonly Person[] = []) =>
    people.map(({ Email }) => {
      const MessageID = String(id ? number++ : number);
      const MessageHref = `https://api.mailjet.com/v3/REST/message/${MessageID}`;
      return { Email, MessageUUID: id ? randomUUID() : '', MessageID, MessageHref };
    });
  const { To, Cc, Bcc, CustomID = '' } = message ?? {};
  return { Status: 'success', CustomID, To: copies(To), Cc: copies(Cc), Bcc: copies(Bcc) };
}

function withNumbers({ body, ...reply }: Reply): Reply {
  return { ...reply, body: String(body).replaceAll(/"MessageID":"(\d+)"/g, '"MessageID":$1') };
}

// https://dev.mailjet.com/email/guides/send-api-v31/#send-api-errors, read 2026-11-30
const CODES: Readonly<Partial<Record<Problem['kind'], string>>> = {
  key: 'mj-0015',
  syntax: 'mj-0002',
  unknown: 'mj-0002',
  missing: 'mj-0003',
  type: 'mj-0004',
  address: 'mj-0013',
  'too-large': 'mj-0011',
};

function errorOf(problem: Problem) {
  const { kind, field, message } = problem;
  const related = kind === 'address' ? `${field}.Email` : field;
  return {
    ErrorIdentifier: randomUUID(),
    ErrorCode: field === 'HTMLPart' && kind === 'missing' ? 'send-0003' : CODES[kind],
    StatusCode: statusOf(problem),
    ErrorMessage: kind === 'key' ? 'API key authentication/authorization failure.' : message,
    ...(related !== null && { ErrorRelatedTo: [related] }),
  };
}
