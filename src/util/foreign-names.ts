import { nearestName } from './nearest-name.ts';

/** What another library's name is called here, and what is said instead of "it is called ... here". */
type Counterpart = string | readonly [name: string, advice: string];

/** Names of other libraries, in lower case without separators, to their counterparts; each applies where its name is known. */
export type ForeignNames = Readonly<Record<string, Counterpart>>;

/**
 * What a wrong name probably means: by its meaning in other libraries, else by its spelling; null without a suggestion.
 *
 * @param local what a name is called among the known ones; default the same
 */
export function suggest(
  name: string,
  known: readonly string[],
  foreign: ForeignNames,
  local = (own: string): string => own,
): string | null {
  const folded = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const counterpart = Object.hasOwn(foreign, folded) ? foreign[folded] : undefined;
  const [meant, advice] = typeof counterpart === 'string' ? [counterpart] : (counterpart ?? []);
  if (meant !== undefined && known.includes(local(meant))) return advice ?? `it is called '${local(meant)}' here`;
  const near = nearestName(name, known);
  return near === null ? null : `did you mean '${near}'?`;
}

/** Of messages: Nodemailer, Resend, SendGrid, Postmark, Mailgun, Django and Anymail, the AWS SDK. */
export const MESSAGE_NAMES: ForeignNames = {
  amp: ['alternatives', "give it in 'alternatives', as { content, mimetype: 'text/x-amp-html' }"],
  attachdataurls: 'inlineImages',
  attachment: 'attachments',
  bccaddresses: 'bcc',
  categories: 'tags',
  category: 'tags',
  ccaddresses: 'cc',
  content: 'body',
  customargs: 'metadata',
  deliverytime: 'sendAt',
  destination: 'to',
  dynamictemplatedata: 'mergeGlobalData',
  envelope: 'envelopeSender',
  espextradata: 'espExtra',
  from: 'fromEmail',
  fromaddress: 'fromEmail',
  fromemailaddress: 'fromEmail',
  html: 'htmlBody',
  htmlcontent: 'htmlBody',
  htmlmessage: 'htmlBody',
  icalevent: ['alternatives', "give it in 'alternatives', as { content, mimetype: 'text/calendar; method=REQUEST' }"],
  importance: 'priority',
  list: 'listUnsubscribe',
  message: 'body',
  personalizations: ['to', "give 'to', or call sendEach: one mail to each recipient"],
  plaintext: 'body',
  recipientlist: 'to',
  recipients: 'to',
  scheduledat: 'sendAt',
  scheduledfor: 'sendAt',
  replytoaddresses: 'replyTo',
  returnpath: 'envelopeSender',
  sender: 'fromEmail',
  source: 'fromEmail',
  substitutiondata: 'mergeGlobalData',
  template: 'templateId',
  templatealias: 'templateId',
  templatedata: 'mergeGlobalData',
  templatemodel: 'mergeGlobalData',
  templatename: 'templateId',
  text: 'body',
  textbody: 'body',
  textcontent: 'body',
  toaddresses: 'to',
};

/** Of attachments. */
export const ATTACHMENT_NAMES: ForeignNames = {
  cid: 'contentId',
  contentbytes: 'content',
  contentdisposition: ['contentId', "leave it out: what has a 'contentId' is inline"],
  contenttype: 'mimetype',
  data: 'content',
  disposition: ['contentId', "leave it out: what has a 'contentId' is inline"],
  encoding: ['content', "leave it out, and give bytes: content: Buffer.from(text, 'base64')"],
  file: ['content', 'write Attachment.fromFile(path)'],
  filepath: ['content', 'write Attachment.fromFile(path)'],
  href: ['content', 'fetch it, and give its bytes as content'],
  inlinecontentid: 'contentId',
  name: 'filename',
  path: ['content', 'write Attachment.fromFile(path)'],
  raw: 'content',
  rawcontent: 'content',
  type: 'mimetype',
};

const LOGIN = "give 'username' and 'password' themselves";
const SHARED = 'leave it out: connections are always kept and shared';

/** Of connections: Nodemailer, Django, smtplib, boto3, the AWS SDK. */
export const OPTION_NAMES: ForeignNames = {
  auth: ['username', LOGIN],
  awsaccesskeyid: 'accessKeyId',
  awsregion: 'region',
  awssecretaccesskey: 'secretAccessKey',
  awssessiontoken: 'sessionToken',
  configurationsetname: 'configurationSet',
  connectiontimeout: ['timeouts', 'write timeouts: { connect: ... }, in milliseconds'],
  defaultfromemail: 'defaultFrom',
  endpointurl: 'endpoint',
  filepath: 'path',
  from: 'defaultFrom',
  fromemail: 'defaultFrom',
  greetingtimeout: ['timeouts', 'write timeouts: { greeting: ... }, in milliseconds'],
  hostname: 'host',
  ignoretls: ['security', "write security: 'none'"],
  localname: 'name',
  logger: 'debug',
  login: 'username',
  pass: 'password',
  pool: ['maxConnections', SHARED],
  regionname: 'region',
  requiretls: 'useTls',
  secretkey: 'secretAccessKey',
  secure: 'useSsl',
  server: 'host',
  service: ['host', "give its name instead of 'smtp', as getConnection('gmail', { ... })"],
  sockettimeout: 'timeoutMs',
  ssl: 'useSsl',
  starttls: 'useTls',
  timeout: ['timeoutMs', "it is called 'timeoutMs' here, in milliseconds"],
  tlsoptions: 'tls',
  user: 'username',
};
