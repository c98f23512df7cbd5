import { createRequire } from 'node:module';
import type { EmailBackend } from '../src/backend/backend.ts';
import { AzureBackend } from '../src/backends/azure.ts';
import { BrevoBackend } from '../src/backends/brevo.ts';
import { MailerSendBackend } from '../src/backends/mailersend.ts';
import { MailgunBackend } from '../src/backends/mailgun.ts';
import { MailjetBackend } from '../src/backends/mailjet.ts';
import { MailtrapBackend } from '../src/backends/mailtrap.ts';
import { PostmarkBackend } from '../src/backends/postmark.ts';
import { ResendBackend } from '../src/backends/resend.ts';
import { SendGridBackend } from '../src/backends/sendgrid.ts';
import { SparkPostBackend } from '../src/backends/sparkpost.ts';

/** What is sent, to one recipient each. */
export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly to: string;
  /** Null: none. */
  readonly file: Uint8Array | null;
}

/** A vendor's SDK as its users would call it. */
export interface Sdk {
  send(mail: Mail): Promise<unknown>;
  /** Its call for many, and how many that takes; left out when there is none. */
  readonly batch?: {
    readonly max: number;
    readonly takesFiles: boolean;
    send(mails: readonly Mail[]): Promise<unknown>;
  };
}

/** A vendor: our backend beside its SDK, both sending to a stand-in. */
export interface Vendor {
  readonly name: string;
  ours(maxConnections: number): EmailBackend;
  theirs(url: string): Sdk;
}

export const FROM = 'shop@example.com';
const UUID = '11111111-2222-3333-4444-555555555555';

// biome-ignore lint/suspicious/noExplicitAny: the SDKs are installed apart, so that their types may be missing
type Package = any;
const requireSdk = createRequire(new URL('../../../../test/sdk/package.json', import.meta.url));
const load = (name: string): Package => requireSdk(name);

export const VENDORS: readonly Vendor[] = [
  {
    name: 'resend',
    ours: (maxConnections) => new ResendBackend({ apiKey: 're_123', maxConnections }),
    theirs: (baseUrl) => {
      const { Resend } = load('resend');
      const { emails, batch } = new Resend('re_123', { baseUrl });
      const body = ({ subject, text, to, file }: Mail) => ({
        ...{ from: FROM, to: [to], subject, text },
        ...(file && { attachments: [{ filename: 'a.bin', content: Buffer.from(file) }] }),
      });
      return {
        send: (mail) => emails.send(body(mail)),
        batch: { max: 100, takesFiles: false, send: (mails) => batch.send(mails.map(body)) },
      };
    },
  },
  {
    name: 'sendgrid',
    ours: (maxConnections) => new SendGridBackend({ apiKey: 'SG.abc.def', maxConnections }),
    theirs: () => {
      const { MailService } = load('@sendgrid/mail');
      const service = new MailService();
      service.setApiKey('SG.abc.def');
      return {
        send: ({ subject, text, to, file }) =>
          service.send({
            ...{ from: FROM, to, subject, text },
            ...(file && { attachments: [{ filename: 'a.bin', type: TYPE, content: base64(file) }] }),
          }),
      };
    },
  },
  {
    name: 'postmark',
    ours: (maxConnections) => new PostmarkBackend({ serverToken: UUID, maxConnections }),
    theirs: (baseUrl) => {
      const { ServerClient } = load('postmark');
      const client = new ServerClient(UUID, { requestHost: new URL(baseUrl).host, useHttps: false });
      const body = ({ subject, text, to, file }: Mail) => ({
        ...{ From: FROM, To: to, Subject: subject, TextBody: text },
        ...(file && { Attachments: [{ Name: 'a.bin', ContentType: TYPE, Content: base64(file) }] }),
      });
      return {
        send: (mail) => client.sendEmail(body(mail)),
        batch: { max: 500, takesFiles: true, send: (mails) => client.sendEmailBatch(mails.map(body)) },
      };
    },
  },
  {
    name: 'mailgun',
    ours: (maxConnections) => new MailgunBackend({ apiKey: KEY, domain: 'example.com', maxConnections }),
    theirs: () => {
      const Mailgun = load('mailgun.js');
      const { messages } = new Mailgun(load('form-data')).client({ username: 'api', key: KEY });
      return {
        send: ({ subject, text, to, file }) =>
          messages.create('example.com', {
            ...{ from: FROM, to: [to], subject, text },
            ...(file && { attachment: [{ filename: 'a.bin', data: Buffer.from(file) }] }),
          }),
      };
    },
  },
  {
    name: 'brevo',
    ours: (maxConnections) => new BrevoBackend({ apiKey: `xkeysib-${KEY}`, maxConnections }),
    theirs: (baseUrl) => {
      const { BrevoClient } = load('@getbrevo/brevo');
      const { transactionalEmails } = new BrevoClient({ apiKey: `xkeysib-${KEY}`, baseUrl: `${baseUrl}/v3` });
      return {
        send: ({ subject, text, to, file }) =>
          transactionalEmails.sendTransacEmail({
            ...{ sender: { email: FROM }, to: [{ email: to }], subject, textContent: text },
            ...(file && { attachment: [{ name: 'a.bin', content: base64(file) }] }),
          }),
      };
    },
  },
  {
    name: 'mailjet',
    ours: (maxConnections) => new MailjetBackend({ apiKey: HEX, secretKey: HEX, maxConnections }),
    theirs: () => {
      const { Client } = load('node-mailjet');
      const client = new Client({ apiKey: HEX, apiSecret: HEX });
      const body = ({ subject, text, to, file }: Mail) => ({
        ...{ From: { Email: FROM }, To: [{ Email: to }], Subject: subject, TextPart: text },
        ...(file && { Attachments: [{ Filename: 'a.bin', ContentType: TYPE, Base64Content: base64(file) }] }),
      });
      const send = (mails: readonly Mail[]) =>
        client.post('send', { version: 'v3.1' }).request({ Messages: mails.map(body) });
      return { send: (mail) => send([mail]), batch: { max: 50, takesFiles: true, send } };
    },
  },
  {
    name: 'mailtrap',
    ours: (maxConnections) => new MailtrapBackend({ apiKey: HEX, maxConnections }),
    theirs: () => {
      const { MailtrapClient } = load('mailtrap');
      const client = new MailtrapClient({ token: HEX });
      const body = ({ subject, text, to, file }: Mail) => ({
        ...{ from: { email: FROM }, to: [{ email: to }], subject, text },
        ...(file && { attachments: [{ filename: 'a.bin', type: TYPE, content: base64(file) }] }),
      });
      return {
        send: (mail) => client.send(body(mail)),
        batch: { max: 500, takesFiles: true, send: (mails) => client.batchSend({ requests: mails.map(body) }) },
      };
    },
  },
  {
    name: 'mailersend',
    ours: (maxConnections) => new MailerSendBackend({ apiKey: `mlsn.${HEX}`, maxConnections }),
    theirs: (baseUrl) => {
      const { Attachment, EmailParams, MailerSend, Recipient, Sender } = load('mailersend');
      const { email } = new MailerSend({ apiKey: `mlsn.${HEX}` });
      email.baseUrl = `${baseUrl}/v1`;
      // Its call for many tells nothing of each mail.
      return {
        send: ({ subject, text, to, file }) => {
          const mail = new EmailParams().setFrom(new Sender(FROM)).setTo([new Recipient(to)]);
          mail.setSubject(subject).setText(text);
          return email.send(file ? mail.setAttachments([new Attachment(base64(file), 'a.bin')]) : mail);
        },
      };
    },
  },
  {
    name: 'sparkpost',
    ours: (maxConnections) => new SparkPostBackend({ apiKey: `${HEX}01234567`, maxConnections }),
    theirs: (origin) => {
      const SparkPost = load('sparkpost');
      const { transmissions } = new SparkPost(`${HEX}01234567`, { origin });
      return {
        send: ({ subject, text, to, file }) =>
          transmissions.send({
            recipients: [{ address: to }],
            content: {
              ...{ from: FROM, subject, text },
              ...(file && { attachments: [{ name: 'a.bin', type: TYPE, data: base64(file) }] }),
            },
          }),
      };
    },
  },
  {
    name: 'azure',
    ours: (maxConnections) => new AzureBackend({ connectionString: RESOURCE, maxConnections }),
    theirs: () => {
      const { EmailClient } = load('@azure/communication-email');
      const client = new EmailClient(RESOURCE);
      return {
        send: ({ subject, text, to, file }) =>
          client.beginSend({
            ...{ senderAddress: FROM, content: { subject, plainText: text }, recipients: { to: [{ address: to }] } },
            ...(file && { attachments: [{ name: 'a.bin', contentType: TYPE, contentInBase64: base64(file) }] }),
          }),
      };
    },
  },
];

const RESOURCE = 'endpoint=https://shop.communication.azure.com/;accesskey=bm90LWEtcmVhbC1rZXk=';
const HEX = '0123456789abcdef0123456789abcdef';
const KEY = '0123456789abcdef0123456789abcdef-01234567-89abcdef';
const TYPE = 'application/octet-stream';

function base64(file: Uint8Array): string {
  return Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString('base64');
}
