import type { IncomingHttpHeaders } from 'node:http';
import { readAddressInputs } from '../../mime/read/addresses.ts';
import type { AddressInput } from '../../model/address.ts';
import { addressKey, comparisonKey, parseMailbox } from '../../model/address.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import { isObject } from '../../util/json.ts';
import { jsonReply, type Reply } from '../web/reply.ts';
import { extraOf, filled, headerFields, objectIn, templateOf, timeOf } from './fields.ts';
import { type FormFile, readForm } from './form.ts';
import { senderOf } from './raw-mail.ts';
import { hasBasic, missing, statusOf } from './refusals.ts';
import type { Table } from './shape.ts';
import { type AskedMail, endpoint, type Outcome, type Problem, Refused, type Vendor } from './vendor.ts';

/** A form: the values of each field, its files, and the fields whose names are free (`h:X-Order`, `v:user`). */
interface Form {
  readonly texts: Readonly<Record<string, readonly string[]>>;
  readonly files: Readonly<Record<string, readonly FormFile[]>>;
  readonly free: Readonly<Record<string, string>>;
}

const TEXTS: Table = { 'to!': ['text'], cc: ['text'], bcc: ['text'], from: ['text'], subject: ['text'] };
// https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages, read 2026-11-30
const OPTIONS = [
  ...['o:tag', 'o:dkim', 'o:secondary-dkim', 'o:secondary-dkim-public', 'o:deliverytime'],
  ...['o:deliverytime-optimize-period', 'o:time-zone-localize', 'o:testmode', 'o:tracking', 'o:tracking-clicks'],
  ...['o:tracking-opens', 'o:tracking-pixel-location-top', 'o:require-tls', 'o:skip-verification', 'o:sending-ip'],
  ...['o:sending-ip-pool', 'o:archive-to', 'o:suppress-headers', 't:version', 't:text', 't:variables'],
  ...['text', 'html', 'amp-html', 'template', 'recipient-variables'],
];
const OTHERS: Table = Object.fromEntries(OPTIONS.map((name) => [name, ['text']]));
const FILES: Table = { attachment: 'anything', inline: 'anything' };
const MESSAGE: Table = { texts: { ...TEXTS, ...OTHERS }, files: FILES, free: 'texts' };
// https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages/post-v3--domain-name--messages-mime
const MIME: Table = {
  texts: { ...TEXTS, ...OTHERS, message: ['text'] },
  files: { message: 'anything' },
  free: 'texts',
};

async function read(body: Buffer, headers: IncomingHttpHeaders): Promise<Form> {
  const texts = new Map<string, string[]>();
  const files = new Map<string, FormFile[]>();
  const free: [string, string][] = [];
  for (const [name, value] of await readForm(body, headers)) {
    if (typeof value !== 'string') files.set(name, [...(files.get(name) ?? []), value]);
    else if (/^[hv]:./.test(name)) free.push([name, value]);
    else texts.set(name, [...(texts.get(name) ?? []), value]);
  }
  return { texts: Object.fromEntries(texts), files: Object.fromEntries(files), free: Object.fromEntries(free) };
}

const last = ({ texts }: Form, name: string): string | undefined => texts[name]?.at(-1);
const people = ({ texts }: Form, name: string): readonly AddressInput[] =>
  (texts[name] ?? []).flatMap(readAddressInputs);
const freeOf = ({ free }: Form, prefix: string) =>
  Object.entries(free).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(2), value] as const] : []));

const CONTENT_ID = /^[\w!#$%&'*+\-/=?^`{|}~.@]{1,200}$/;

/** One mail for everybody, or for each of `to` when there are variables of recipients. */
function mailsOf(form: Form): readonly AskedMail[] {
  const own = objectOf(form, 'recipient-variables');
  const to = people(form, 'to');
  if (own === null) return [mailOf(form, to, {})];
  const variables = new Map(Object.entries(own).map(([address, values]) => [comparisonKey(address), values]));
  return to.map((recipient) => {
    const values = variables.get(keyOf(recipient));
    return mailOf(form, [recipient], isObject(values) ? values : {});
  });
}

function mailOf(form: Form, to: readonly AddressInput[], own: Readonly<Record<string, unknown>>): EmailMessageInit {
  const write = (text: string): string => filled(text, /%recipient\.([^%]+)%/g, own);
  const text = (name: string): string | undefined => {
    const value = last(form, name);
    return value === undefined ? undefined : write(value);
  };
  const template = last(form, 'template');
  const from = people(form, 'from')[0];
  if (from === undefined && template === undefined) missing('from');
  if (['text', 'html', 'amp-html', 'template'].every((name) => last(form, name) === undefined))
    missing("at least one of 'text', 'html', 'amp-html' and 'template'");
  const { init, left } = headerFields(freeOf(form, 'h:').map(([name, value]) => [name, write(value)]));
  const metadata = Object.fromEntries(freeOf(form, 'v:').map(([name, value]) => [name, write(value)]));
  const amp = text('amp-html');
  const isOn = (name: string): boolean => /^(?:yes|true|htmlonly)$/i.test(last(form, name) ?? '');
  const shown = ['o:tag', 'o:deliverytime', 'o:tracking-opens', 'o:tracking-clicks', 't:variables'];
  const options = Object.entries(form.texts).filter(([name]) => /^[ot]:/.test(name) && !shown.includes(name));
  return {
    ...init,
    fromEmail: from ?? 'template@mailgun.invalid',
    to,
    cc: people(form, 'cc'),
    bcc: people(form, 'bcc'),
    subject: text('subject') ?? '',
    body: text('text') ?? '',
    htmlBody: text('html') ?? null,
    alternatives: amp === undefined ? [] : [{ mimetype: 'text/x-amp-html', content: amp }],
    attachments: [
      ...(form.files['attachment'] ?? []).map(({ filename, type, content }) => ({
        filename,
        content,
        mimetype: type || null,
      })),
      // The name of an inline file is its Content-ID, where it can be one.
      ...(form.files['inline'] ?? []).map(({ filename, type, content }) => ({
        filename,
        content,
        mimetype: type || null,
        contentId: CONTENT_ID.test(filename) ? filename : null,
      })),
    ],
    tags: form.texts['o:tag'] ?? [],
    metadata,
    ...templateOf(template, { ...objectOf(form, 't:variables'), ...(template !== undefined && metadata) }),
    sendAt: timeOf(last(form, 'o:deliverytime')),
    trackOpens: isOn('o:tracking-opens') || isOn('o:tracking'),
    trackClicks: isOn('o:tracking-clicks') || isOn('o:tracking'),
    ...extraOf('mailgun', { ...Object.fromEntries(options), headers: left }),
  };
}

function rawOf(form: Form): AskedMail {
  const [file] = form.files['message'] ?? [];
  const text = last(form, 'message');
  const source = file?.content ?? (text === undefined ? missing('message') : Buffer.from(text));
  const recipients = people(form, 'to').map((recipient) => parsed(recipient).address);
  const metadata = Object.fromEntries(freeOf(form, 'v:'));
  return { source, from: senderOf(source), recipients, tags: form.texts['o:tag'] ?? [], metadata };
}

const answer = ([outcome]: readonly Outcome[]): Reply =>
  jsonReply({ id: `<${outcome?.ids[0]}>`, message: 'Queued. Thank you.' });

/** Mailgun. */
export const vendor: Vendor = {
  names: { fromEmail: 'from', body: 'text', htmlBody: 'html', replyTo: 'h:Reply-To', tags: 'o:tag', metadata: 'v' },
  answersMessageId: true,
  hasKey: hasBasic,
  refuse,
  endpoints: {
    'POST /v3/*/messages': endpoint<Form>({ shape: MESSAGE, read, mails: mailsOf, answer }),
    'POST /v3/*/messages.mime': endpoint<Form>({ shape: MIME, read, mails: (form) => [rawOf(form)], answer }),
    'GET /v4/domains': () => jsonReply({ items: [], total_count: 0 }),
    'GET /v4/domains/*': ({ params: [name] }) => jsonReply({ domain: { name, state: 'active' } }),
  },
};

function refuse([problem]: readonly [Problem, ...Problem[]]): Reply {
  const { kind, field, message } = problem;
  if (kind === 'key')
    return { status: 401, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'Forbidden' };
  const status = statusOf(problem);
  const name = field?.replace(/^(?:texts|files|free)\./, '');
  if (kind === 'missing') return jsonReply({ message: `${name} parameter is missing` }, status);
  if (kind === 'address') return jsonReply({ message: `${name} parameter is not a valid address: ${message}` }, status);
  return jsonReply({ message: name === undefined ? message : `${name} parameter ${message}` }, status);
}

/** The value of a field that is an object in JSON; null when it is not there. */
function objectOf(form: Form, name: string): Readonly<Record<string, unknown>> | null {
  const text = last(form, name);
  return text === undefined ? null : objectIn(name, text);
}

function parsed(recipient: AddressInput) {
  try {
    return parseMailbox(recipient);
  } catch {
    throw new Refused({ kind: 'address', field: 'to', message: 'one of the addresses cannot be read' });
  }
}

/** What the variables of a recipient are found by; what is no address is refused later. */
function keyOf(recipient: AddressInput): string {
  try {
    return addressKey(parseMailbox(recipient));
  } catch {
    return '';
  }
}
