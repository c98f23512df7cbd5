import * as sdk from '@aws-sdk/client-sesv2';

/** What SES takes, and who says so. */
export const LIMITS = {
  /** Developer guide, "Service quotas in Amazon SES": recipients per message, To, Cc and Bcc together. */
  recipients: 50,
  /** API v1 reference, SendBulkTemplatedEmail: "up to 50 Destination objects". */
  bulkEntries: 50,
  /** Developer guide, "Service quotas in Amazon SES": 40 MB by API v2 and SMTP, after base64. */
  rawBase64: 40 * 1024 * 1024,
  /** API v2 model, MessageHeaderList. */
  headers: 15,
  /** API v2 model, MessageHeaderName and MessageHeaderValue; reference: name and value together up to 996. */
  headerName: /^[!-9;-@A-~]{1,126}$/,
  headerValue: /^[ -~]{1,995}$/,
  header: 996,
  /** API v2 model, AttachmentFileName, AttachmentContentId and AttachmentContentType. */
  fileName: 255,
  contentId: 78,
  contentType: 78,
  /** API v2 model, EmailTemplateData. */
  templateData: 262_144,
  /** API v2 reference, SendEmail, MessageTag; texts and the limit of 255 as recorded from the service. */
  tagName: /^[A-Za-z0-9_-]*$/,
  tagValue: /^[A-Za-z0-9_.@-]*$/,
  tag: 255,
  /** API v2 reference, CreateConfigurationSet. */
  configurationSet: /^[A-Za-z0-9_-]{1,64}$/,
  /** RFC 5321, section 4.5.3.1.6, as SendRawEmail's reference repeats it: a line is 1,000 octets with its CRLF. */
  rawLine: 998,
} as const;

const STRUCTURE = 3;
const LIST = 1;
const LIST_OF = 64;
const BLOB = 21;

/** A schema that the SDK serializes by: [kind, namespace, name, traits, members, types, required]. */
type Schema = readonly [number, string, string, unknown, unknown, (readonly unknown[])?, number?];

/** The first thing that is wrong with the shape of a request, by the schema of the SDK, or null. */
export function findShapeFault(operation: 'SendEmail' | 'SendBulkEmail', body: unknown): string | null {
  const schema = operation === 'SendEmail' ? sdk.SendEmailRequest$ : sdk.SendBulkEmailRequest$;
  return shapeFault(schema as unknown as Schema, body, operation);
}

function shapeFault(type: unknown, value: unknown, path: string): string | null {
  if (typeof type === 'function') return shapeFault(type(), value, path);
  if (Array.isArray(type) && type.length === 1) return shapeFault(type[0], value, path);
  if (typeof type === 'number') return scalarFault(type, value, path);
  const [kind, , , , members, types = [], required = 0] = type as Schema;
  if (kind === LIST) {
    if (!Array.isArray(value)) return `${path} is no list`;
    return first(value.map((entry, index) => shapeFault(members, entry, `${path}[${index}]`)));
  }
  if (kind !== STRUCTURE || !isObject(value)) return `${path} is no structure`;
  const names = members as readonly string[]; // a structure's schema lists the names of its members
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) return `${path} has no member ${unknown}`;
  const missing = names.slice(0, required).find((name) => value[name] === undefined);
  if (missing !== undefined) return `${path} lacks ${missing}`;
  return first(
    names.map((name, index) =>
      value[name] === undefined ? null : shapeFault(types[index], value[name], `${path}.${name}`),
    ),
  );
}

function scalarFault(type: number, value: unknown, path: string): string | null {
  if (type >= LIST_OF) {
    if (!Array.isArray(value)) return `${path} is no list`;
    return first(value.map((entry, index) => scalarFault(type - LIST_OF, entry, `${path}[${index}]`)));
  }
  if (typeof value !== 'string') return `${path} is no string`;
  return type === BLOB && !/^[A-Za-z0-9+/]+={0,2}$/.test(value) ? `${path} is no base64` : null;
}

/** The first published limit that a well-shaped request breaks, or null. */
export function findLimitFault(body: JsonObject): string | null {
  const content = record(body['Content'] ?? body['DefaultContent']);
  const template = record(content['Template']);
  const entries = list(body['BulkEmailEntries']);
  if (body['Content'] !== undefined && Object.keys(content).length !== 1)
    return 'Exactly one kind of content is needed.';
  if (body['DefaultContent'] !== undefined && (entries.length === 0 || entries.length > LIMITS.bulkEntries))
    return `The number of entries must be 1 to ${LIMITS.bulkEntries}.`;
  const set = body['ConfigurationSetName'];
  if (set !== undefined && !LIMITS.configurationSet.test(String(set))) return 'Illegal configuration set name.';
  return (
    first([
      destinationFault(body['Content'] === undefined ? null : record(body['Destination'])),
      ...entries.map((entry) => destinationFault(record(entry['Destination']))),
      ...[body['FromEmailAddress'], ...strings(body['ReplyToAddresses'])].map((entry) => addressFault(String(entry))),
      ...[...list(body['EmailTags']), ...list(body['DefaultEmailTags'])].map(tagFault),
      ...entries.flatMap((entry) => list(entry['ReplacementTags'])).map(tagFault),
    ]) ??
    rawFault(record(content['Raw'])) ??
    templateFault(template) ??
    first(entries.map(replacementFault))
  );
}

function destinationFault(destination: JsonObject | null): string | null {
  if (destination === null) return null;
  const addresses = Object.values(destination).flatMap(strings);
  if (addresses.length === 0) return 'There are no recipients.';
  if (addresses.length > LIMITS.recipients) return `Recipient count exceeds ${LIMITS.recipients}.`;
  return first(addresses.map(addressFault));
}

/** ASCII, a name and brackets at most; the address itself without spaces. */
function addressFault(text: string): string | null {
  if (!/^[\x20-\x7e]{3,998}$/.test(text)) return `Illegal address: ${text}`;
  const address = /<([^<>]+)>$/.exec(text)?.[1] ?? text;
  if (!address.includes('@')) return "Missing final '@domain'";
  return /^[^\s@<>]+@[A-Za-z0-9.-]+$/.test(address) ? null : `Illegal address: ${text}`;
}

function tagFault(tag: JsonObject): string | null {
  const [name, value] = [String(tag['Name']), String(tag['Value'])];
  if (name === '') return 'The tag name must be specified.';
  if (value === '') return 'The tag value must be specified.';
  const only = 'only alphanumeric ASCII characters,';
  if (!LIMITS.tagName.test(name)) return `Invalid tag name <${name}>: ${only} '_',  '-' are allowed.`;
  if (!LIMITS.tagValue.test(value)) return `Invalid tag value <${value}>: ${only} '_',  '-' , '.', '@' are allowed.`;
  if (name.length > LIMITS.tag || value.length > LIMITS.tag)
    return `Tag name/value cannot exceed ${LIMITS.tag} characters.`;
  return null;
}

function rawFault(raw: JsonObject): string | null {
  const data = raw['Data'];
  if (typeof data !== 'string') return null;
  if (data.length > LIMITS.rawBase64) return 'Message length is more than 41943040 bytes long.';
  const source = Buffer.from(data, 'base64').toString('latin1');
  if (/[\x80-\xff]/.test(source)) return 'The message has octets above 127.';
  if (/(^|[^\r])\n|\r(?!\n)/.test(source)) return 'The message has a bare CR or LF.';
  return source.split('\r\n').some((line) => line.length > LIMITS.rawLine) ? 'A line is too long.' : null;
}

function templateFault(template: JsonObject): string | null {
  if (Object.keys(template).length === 0) return null;
  const sources = ['TemplateName', 'TemplateArn', 'TemplateContent'].filter((name) => template[name] !== undefined);
  if (sources.length !== 1) return 'Exactly one template is needed.';
  return (
    dataFault(template['TemplateData']) ??
    headersFault(list(template['Headers'])) ??
    first(list(template['Attachments']).map(attachmentFault))
  );
}

function replacementFault(entry: JsonObject): string | null {
  const replacement = record(record(entry['ReplacementEmailContent'])['ReplacementTemplate']);
  return dataFault(replacement['ReplacementTemplateData']) ?? headersFault(list(entry['ReplacementHeaders']));
}

function dataFault(data: unknown): string | null {
  if (data === undefined) return null;
  if (String(data).length > LIMITS.templateData) return 'The template data is too long.';
  return isObject(JSON.parse(String(data))) ? null : 'The template data is no JSON object.';
}

function headersFault(headers: readonly JsonObject[]): string | null {
  if (headers.length > LIMITS.headers) return `There are more than ${LIMITS.headers} headers.`;
  const bad = headers.find((header) => {
    const [name, value] = [String(header['Name']), String(header['Value'])];
    return (
      !LIMITS.headerName.test(name) || !LIMITS.headerValue.test(value) || name.length + value.length > LIMITS.header
    );
  });
  return bad ? `Illegal header ${JSON.stringify(bad)}.` : null;
}

function attachmentFault(attachment: JsonObject): string | null {
  const { FileName = '', ContentId, ContentType = '', ContentTransferEncoding } = attachment;
  const isLegal =
    String(FileName).length <= LIMITS.fileName &&
    String(ContentType).length <= LIMITS.contentType &&
    (ContentId === undefined || (String(ContentId).length >= 1 && String(ContentId).length <= LIMITS.contentId)) &&
    ContentTransferEncoding === 'BASE64';
  return isLegal ? null : `Illegal attachment ${String(FileName)}.`;
}

/** What JSON calls an object. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function record(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

export function list(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.map(record) : [];
}

export function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function first(faults: readonly (string | null)[]): string | null {
  return faults.find((fault) => fault !== null) ?? null;
}
