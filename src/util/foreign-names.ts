import { nearestName } from './nearest-name.ts';

/** What another library's name is called here, or what to do instead. */
interface Counterpart {
  /** The name here; the entry applies where it is known. */
  readonly name: string;
  /** Instead of "it is called ... here". */
  readonly advice?: string;
}

/** Names of other libraries, in lower case without separators, to their counterparts. */
export type ForeignNames = Readonly<Record<string, Counterpart>>;

/** What a wrong name probably means: by its meaning in other libraries, else by its spelling; null without a suggestion. */
export function suggest(name: string, known: readonly string[], foreign: ForeignNames): string | null {
  const folded = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const counterpart = Object.hasOwn(foreign, folded) ? foreign[folded] : undefined;
  if (counterpart !== undefined && known.includes(counterpart.name))
    return counterpart.advice ?? `it is called '${counterpart.name}' here`;
  const near = nearestName(name, known);
  return near === null ? null : `did you mean '${near}'?`;
}

/** Of messages: Nodemailer, Resend, SendGrid, Postmark, Mailgun, Django and Anymail, the AWS SDK. */
export const MESSAGE_NAMES: ForeignNames = {
  amp: { name: 'alternatives', advice: "give it in 'alternatives', as { content, mimetype: 'text/x-amp-html' }" },
  attachdataurls: { name: 'inlineImages' },
  attachment: { name: 'attachments' },
  bccaddresses: { name: 'bcc' },
  categories: { name: 'tags' },
  category: { name: 'tags' },
  ccaddresses: { name: 'cc' },
  content: { name: 'body' },
  customargs: { name: 'metadata' },
  deliverytime: { name: 'sendAt' },
  destination: { name: 'to' },
  dynamictemplatedata: { name: 'mergeGlobalData' },
  envelope: { name: 'envelopeSender' },
  espextradata: { name: 'espExtra' },
  from: { name: 'fromEmail' },
  fromaddress: { name: 'fromEmail' },
  fromemailaddress: { name: 'fromEmail' },
  html: { name: 'htmlBody' },
  htmlcontent: { name: 'htmlBody' },
  htmlmessage: { name: 'htmlBody' },
  icalevent: {
    name: 'alternatives',
    advice: "give it in 'alternatives', as { content, mimetype: 'text/calendar; method=REQUEST' }",
  },
  importance: { name: 'priority' },
  list: { name: 'listUnsubscribe' },
  message: { name: 'body' },
  personalizations: { name: 'to', advice: "give 'to', or call sendEach: one mail to each recipient" },
  plaintext: { name: 'body' },
  recipientlist: { name: 'to' },
  recipients: { name: 'to' },
  scheduledat: { name: 'sendAt' },
  scheduledfor: { name: 'sendAt' },
  replytoaddresses: { name: 'replyTo' },
  returnpath: { name: 'envelopeSender' },
  sender: { name: 'fromEmail' },
  source: { name: 'fromEmail' },
  substitutiondata: { name: 'mergeGlobalData' },
  template: { name: 'templateId' },
  templatealias: { name: 'templateId' },
  templatedata: { name: 'mergeGlobalData' },
  templatemodel: { name: 'mergeGlobalData' },
  templatename: { name: 'templateId' },
  text: { name: 'body' },
  textbody: { name: 'body' },
  textcontent: { name: 'body' },
  toaddresses: { name: 'to' },
};

/** Of attachments. */
export const ATTACHMENT_NAMES: ForeignNames = {
  cid: { name: 'contentId' },
  contentbytes: { name: 'content' },
  contentdisposition: { name: 'contentId', advice: "leave it out: what has a 'contentId' is inline" },
  contenttype: { name: 'mimetype' },
  data: { name: 'content' },
  disposition: { name: 'contentId', advice: "leave it out: what has a 'contentId' is inline" },
  encoding: { name: 'content', advice: "leave it out, and give bytes: content: Buffer.from(text, 'base64')" },
  file: { name: 'content', advice: 'write Attachment.fromFile(path)' },
  filepath: { name: 'content', advice: 'write Attachment.fromFile(path)' },
  href: { name: 'content', advice: 'fetch it, and give its bytes as content' },
  inlinecontentid: { name: 'contentId' },
  name: { name: 'filename' },
  path: { name: 'content', advice: 'write Attachment.fromFile(path)' },
  raw: { name: 'content' },
  rawcontent: { name: 'content' },
  type: { name: 'mimetype' },
};

const LOGIN = "give 'username' and 'password' themselves";
const SHARED = 'leave it out: connections are always kept and shared';

/** Of connections: Nodemailer, Django, smtplib, boto3, the AWS SDK. */
export const OPTION_NAMES: ForeignNames = {
  auth: { name: 'username', advice: LOGIN },
  awsaccesskeyid: { name: 'accessKeyId' },
  awsregion: { name: 'region' },
  awssecretaccesskey: { name: 'secretAccessKey' },
  awssessiontoken: { name: 'sessionToken' },
  configurationsetname: { name: 'configurationSet' },
  connectiontimeout: { name: 'timeouts', advice: 'write timeouts: { connect: ... }, in milliseconds' },
  defaultfromemail: { name: 'defaultFrom' },
  endpointurl: { name: 'endpoint' },
  filepath: { name: 'path' },
  from: { name: 'defaultFrom' },
  fromemail: { name: 'defaultFrom' },
  greetingtimeout: { name: 'timeouts', advice: 'write timeouts: { greeting: ... }, in milliseconds' },
  hostname: { name: 'host' },
  ignoretls: { name: 'security', advice: "write security: 'none'" },
  localname: { name: 'name' },
  logger: { name: 'debug' },
  login: { name: 'username' },
  pass: { name: 'password' },
  pool: { name: 'maxConnections', advice: SHARED },
  regionname: { name: 'region' },
  requiretls: { name: 'useTls' },
  secretkey: { name: 'secretAccessKey' },
  secure: { name: 'useSsl' },
  server: { name: 'host' },
  service: { name: 'host', advice: "give its name instead of 'smtp', as getConnection('gmail', { ... })" },
  sockettimeout: { name: 'timeoutMs' },
  ssl: { name: 'useSsl' },
  starttls: { name: 'useTls' },
  timeout: { name: 'timeoutMs', advice: "it is called 'timeoutMs' here, in milliseconds" },
  tlsoptions: { name: 'tls' },
  user: { name: 'username' },
};
