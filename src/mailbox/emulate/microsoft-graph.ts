import type { IncomingHttpHeaders } from 'node:http';
import { jsonReply, type Reply } from '../web/reply.ts';
import { Drafts } from './graph-drafts.ts';
import { FILE, type GraphFile, type GraphMail, graphFileOf, MESSAGE, mailOf } from './graph-message.ts';
import { readJson } from './read-json.ts';
import { hasBearer, missing, statusOf, textOf } from './refusals.ts';
import { Choice, type Table } from './shape.ts';
import { endpoint, type Problem, Refused, step, type Vendor, type VendorCall } from './vendor.ts';

/** Octets of a request (https://learn.microsoft.com/graph/outlook-large-attachments). */
const MAX_REQUEST = 4 * 1024 * 1024;
// https://learn.microsoft.com/graph/api/user-sendmail and https://learn.microsoft.com/graph/outlook-send-mime-message, read 2026-11-30
const SEND: Table = { mime: 'base64', message: MESSAGE, saveToSentItems: new Choice('boolean', 'text') };
// https://learn.microsoft.com/graph/api/user-post-messages, read 2026-11-30
const DRAFT: Table = { ...MESSAGE, mime: 'base64' };
// https://learn.microsoft.com/graph/api/attachment-createuploadsession, read 2026-11-30
const { '@odata.type': _, 'contentBytes!': __, ...FACTS } = FILE;
const SESSION: Table = { 'AttachmentItem!': { ...FACTS, 'attachmentType!': 'text', 'size!': 'integer' } };

type Mime = { readonly mime?: string };
type Sending = Mime & { readonly message?: GraphMail };
type Session = { readonly AttachmentItem: GraphFile & { readonly size: number } };

/** A mail in base64, or one in Graph's own words. */
async function read(body: Buffer, headers: IncomingHttpHeaders): Promise<unknown> {
  refuseLarge(body);
  if (/^text\/plain\b/i.test(headers['content-type'] ?? '')) return { mime: body.toString('latin1').trim() };
  return readJson(body, headers);
}

async function readPart(body: Buffer): Promise<Buffer> {
  refuseLarge(body);
  return body;
}

function refuseLarge(body: Buffer): void {
  if (body.length > MAX_REQUEST)
    throw new Refused({ kind: 'too-large', field: null, message: `a request has at most ${MAX_REQUEST} bytes` });
}

/** The draft or upload that a request is about. */
const lastOf = ({ params }: VendorCall): string => params.at(-1) ?? '';
const taken: Reply = { status: 202, headers: {}, body: '' };

/** Microsoft Graph, as far as sending goes, with the drafts of one mailbox. */
export function createVendor(): Vendor {
  const drafts = new Drafts();
  const ofUser: Vendor['endpoints'] = {
    'POST /sendMail': endpoint<Sending>({
      shape: SEND,
      read,
      mails: ({ mime, message }) => [mailOf(mime ?? message ?? missing('Message'), [])],
      answer: () => taken,
    }),
    'POST /messages': step<Mime & GraphMail>({
      shape: DRAFT,
      read,
      answer: ({ mime, ...message }) => {
        const id = drafts.add(mime ?? message);
        return jsonReply({ id, isDraft: true, subject: message.subject ?? '' }, 201);
      },
    }),
    'POST /messages/*/attachments': step<GraphFile & { readonly contentBytes: string }>({
      shape: FILE,
      read,
      answer: ({ contentBytes, ...facts }, call) => {
        const bytes = Buffer.from(contentBytes, 'base64');
        drafts.find(lastOf(call)).files.push(graphFileOf(facts, bytes));
        return jsonReply({ id: 'file', ...facts, size: bytes.length }, 201);
      },
    }),
    'POST /messages/*/attachments/createUploadSession': step<Session>({
      shape: SESSION,
      read,
      answer: ({ AttachmentItem: { size, ...facts } }, call) => {
        const session = drafts.open(lastOf(call), facts, size);
        const expirationDateTime = new Date(Date.now() + 3_600_000).toISOString();
        const uploadUrl = `${call.baseUrl}/upload/${session}`;
        return jsonReply({ uploadUrl, expirationDateTime, nextExpectedRanges: ['0-'] }, 201);
      },
    }),
    'POST /messages/*/send': endpoint({
      shape: {},
      read: async () => ({}),
      mails: (_body, call) => {
        const { mail, files } = drafts.find(lastOf(call));
        return [mailOf(mail, files)];
      },
      answer: (_outcomes, call) => {
        drafts.remove(lastOf(call));
        return taken;
      },
    }),
    'DELETE /messages/*': (call) => {
      drafts.remove(lastOf(call));
      return { ...taken, status: 204 };
    },
    'GET ': ({ params: [user = 'me@graph.invalid'] }) =>
      jsonReply({ id: user, userPrincipalName: user, displayName: 'amsdal-mailbox' }),
  };
  const upload = step<Buffer>({
    shape: 'anything',
    read: readPart,
    answer: (bytes, call) => {
      const next = drafts.upload(lastOf(call), bytes, call.headers['content-range'] ?? '');
      if (next !== null) return jsonReply({ nextExpectedRanges: [String(next)] });
      return { status: 201, headers: { location: 'file' }, body: '' };
    },
  });
  return {
    prefix: '/v1.0',
    names: {
      fromEmail: 'from',
      to: 'toRecipients',
      cc: 'ccRecipients',
      bcc: 'bccRecipients',
      htmlBody: 'body',
      headers: 'internetMessageHeaders',
    },
    answersMessageId: true,
    takesNull: true,
    // Who has the address of an upload may write there.
    hasKey: (headers, body) => hasBearer(headers) || body instanceof Uint8Array,
    refuse,
    endpoints: {
      ...ofEvery(ofUser, '/me'),
      ...ofEvery(ofUser, '/users/*'),
      'PUT /upload/*': upload,
      // For Microsoft's SDK an address without TLS is a path.
      'PUT /http://*/api/emulate/microsoft-graph/upload/*': upload,
    },
  };
}

function ofEvery(endpoints: Vendor['endpoints'], user: string): Vendor['endpoints'] {
  return Object.fromEntries(Object.entries(endpoints).map(([key, value]) => [key.replace(' ', ` ${user}`), value]));
}

// https://learn.microsoft.com/graph/errors, read 2026-11-30
const CODES: Readonly<Partial<Record<Problem['kind'], string>>> = {
  key: 'InvalidAuthenticationToken',
  path: 'ErrorItemNotFound',
  syntax: 'BadRequest',
  unknown: 'RequestBodyRead',
  type: 'RequestBodyRead',
  address: 'ErrorInvalidRecipients',
  'too-large': 'ErrorMessageSizeExceeded',
  throttled: 'TooManyRequests',
};

function refuse([problem]: readonly [Problem, ...Problem[]]): Reply {
  const { kind, field } = problem;
  const isMime = field === 'mime';
  const code = isMime ? 'ErrorMimeContentInvalidBase64String' : (CODES[kind] ?? 'ErrorInvalidRequest');
  const message = isMime
    ? 'Invalid base64 string for MIME content.'
    : kind === 'key'
      ? 'Access token is empty.'
      : textOf(problem);
  return jsonReply({ error: { code, message } }, statusOf(problem));
}
