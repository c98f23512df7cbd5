import { type AddressInput, parseAddress } from '../../model/address.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import { reasonOf } from '../../util/reason.ts';
import { addressHeader, foldHeader, headerError, structuredHeader, textHeader } from './headers.ts';
import { asciiJson, jsonWords } from './json-header.ts';

/** Writes a message's headers, except the content headers, which belong to its root part. Bcc is never among them. */
export function writeHeaders(message: EmailMessage, date: Date, messageId: string, tagHeaders: boolean): string {
  const { from, to, cc, replyTo } = message.parsed;
  let head = addressHeader('From', [from]);
  if (to.length > 0) head += addressHeader('To', to);
  else if (cc.length === 0) head += 'To: undisclosed-recipients:;\r\n';
  if (cc.length > 0) head += addressHeader('Cc', cc);
  if (replyTo.length > 0) head += addressHeader('Reply-To', replyTo);
  head += textHeader('Subject', message.subject, true);
  head += `Date: ${formatDate(date)}\r\n`;
  head += foldHeader('Message-ID', [`<${messageId}>`]);
  return `${head}${furtherHeaders(message, tagHeaders)}MIME-Version: 1.0\r\n`;
}

/** Writes the optional headers: threading, priority, unsubscribing, tags and the custom ones. */
export function furtherHeaders(message: EmailMessage, tagHeaders: boolean): string {
  let head = '';
  if (message.inReplyTo !== null)
    head += foldHeader(
      'In-Reply-To',
      message.inReplyTo.split(' ').map((id) => `<${id}>`),
    );
  if (message.references.length > 0)
    head += foldHeader(
      'References',
      message.references.map((id) => `<${id}>`),
    );
  head += fieldHeaders(message);
  if (tagHeaders) head += trackingHeaders(message);
  for (const name in message.headers) head += customHeader(name, message.headers[name] ?? '');
  return head;
}

const PRIORITIES = {
  high: 'X-Priority: 1\r\nImportance: high\r\n',
  normal: 'X-Priority: 3\r\nImportance: normal\r\n',
  low: 'X-Priority: 5\r\nImportance: low\r\n',
} as const;

/** Writes the headers of `priority` and `listUnsubscribe`, which a custom header must not repeat. */
function fieldHeaders(message: EmailMessage): string {
  const { priority, listUnsubscribe } = message;
  if (priority === null && listUnsubscribe === null) return '';
  const reserved: Record<string, string> = {};
  let head = '';
  if (priority !== null) {
    head += PRIORITIES[priority];
    Object.assign(reserved, { 'x-priority': 'priority', importance: 'priority' });
  }
  if (listUnsubscribe !== null) {
    const { url, mailto, oneClick } = listUnsubscribe;
    const links: string[] = [];
    if (url !== undefined) links.push(`<${url}>`);
    if (mailto !== undefined) links.push(/^mailto:/i.test(mailto) ? `<${mailto}>` : `<mailto:${mailto}>`);
    head += foldHeader(
      'List-Unsubscribe',
      links.map((link, index) => (index < links.length - 1 ? `${link},` : link)),
    );
    if (oneClick === true) head += 'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n'; // RFC 8058, section 3.1
    Object.assign(reserved, { 'list-unsubscribe': 'listUnsubscribe', 'list-unsubscribe-post': 'listUnsubscribe' });
  }
  for (const name in message.headers) {
    const field = reserved[name.toLowerCase()];
    if (field !== undefined)
      throw headerError(name, 'duplicate', `remove it, or do not use ${field}: it must be there once`);
  }
  return head;
}

function trackingHeaders({ tags, metadata }: EmailMessage): string {
  const head = tags.map((tag) => textHeader('X-Tag', tag, false)).join('');
  if (Object.keys(metadata).length === 0) return head;
  return head + textHeader('X-Metadata', asciiJson(JSON.stringify(metadata)), false);
}

const ADDRESS_HEADERS = /^(?:disposition-notification-to|return-receipt-to|errors-to)$/i;
const STRUCTURED_HEADERS =
  /^(?:list-.*|auto-submitted|precedence|auto-response-suppress|autocrypt|authentication-results|arc-.*|received)$/i;

/** How a custom header is written: as a mailbox or group, verbatim for programs, or as free text. */
export function kindOfHeader(name: string): 'address' | 'structured' | 'text' {
  if (ADDRESS_HEADERS.test(name)) return 'address';
  return STRUCTURED_HEADERS.test(name) ? 'structured' : 'text';
}

/** @throws {MessageError} `invalid-message` for a value that this kind of header cannot have. */
export function customHeader(name: string, value: string): string {
  const kind = kindOfHeader(name);
  if (kind === 'address') return addressHeader(name, [parseCustom(name, value)]);
  if (kind === 'structured') return structuredHeader(name, value);
  const json = jsonWords(value);
  return json === null ? textHeader(name, value, false) : foldHeader(name, json);
}

function parseCustom(name: string, value: AddressInput): ReturnType<typeof parseAddress> {
  let parsed: ReturnType<typeof parseAddress>;
  try {
    parsed = parseAddress(value);
  } catch (error) {
    throw headerError(name, 'address', reasonOf(error));
  }
  if (mailboxesOf([parsed]).every(({ isAscii }) => isAscii)) return parsed;
  throw headerError(
    name,
    'address',
    'give an address that is ASCII before the @, as any server must pass this header on',
  );
}

let lastSecond = Number.NaN;
let lastDate = '';

/** The date (RFC 5322, section 3.3) in UTC, which does not reveal where the sender is. */
function formatDate(date: Date): string {
  const second = Math.floor(date.getTime() / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = new Date(second * 1000).toUTCString().replace('GMT', '+0000');
  }
  return lastDate;
}
