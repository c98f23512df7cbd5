import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EmailBackend } from '../../../src/backend/backend.ts';
import { AzureBackend } from '../../../src/backends/azure.ts';
import { BrevoBackend } from '../../../src/backends/brevo.ts';
import { CloudflareBackend } from '../../../src/backends/cloudflare.ts';
import { GmailApiBackend } from '../../../src/backends/gmail-api.ts';
import { MailerSendBackend } from '../../../src/backends/mailersend.ts';
import { MailgunBackend } from '../../../src/backends/mailgun.ts';
import { MailjetBackend } from '../../../src/backends/mailjet.ts';
import { MailtrapBackend } from '../../../src/backends/mailtrap.ts';
import { MandrillBackend } from '../../../src/backends/mandrill.ts';
import { MicrosoftGraphBackend } from '../../../src/backends/microsoft-graph.ts';
import { PostmarkBackend } from '../../../src/backends/postmark.ts';
import { ResendBackend } from '../../../src/backends/resend.ts';
import { SendGridBackend } from '../../../src/backends/sendgrid.ts';
import { SesBackend } from '../../../src/backends/ses.ts';
import { SparkPostBackend } from '../../../src/backends/sparkpost.ts';
import { type MailboxServer, startMailbox } from '../../../src/mailbox/mailbox.ts';
import type { EmailMessageInit } from '../../../src/model/message-init.ts';
import { FULL, MAIL } from '../../backends/vendor-trial.ts';

let mailbox: MailboxServer;

beforeEach(async () => {
  mailbox = (await startMailbox({ port: 0, smtpPort: null })) as MailboxServer; // the class behind the interface
});
afterEach(() => mailbox.close());

const HEX = '0123456789abcdef0123456789abcdef';
const BACKENDS: Readonly<Record<string, (baseUrl: string) => EmailBackend>> = {
  resend: (baseUrl) => new ResendBackend({ apiKey: 're_123', baseUrl }),
  sendgrid: (baseUrl) => new SendGridBackend({ apiKey: 'SG.key.secret', baseUrl }),
  postmark: (baseUrl) => new PostmarkBackend({ serverToken: '11111111-2222-3333-4444-555555555555', baseUrl }),
  mailgun: (baseUrl) => new MailgunBackend({ apiKey: 'key-0123456789abcdef0123', baseUrl }),
  brevo: (baseUrl) => new BrevoBackend({ apiKey: 'xkeysib-123', baseUrl }),
  mailjet: (baseUrl) => new MailjetBackend({ apiKey: HEX, secretKey: HEX, baseUrl }),
  mailtrap: (baseUrl) => new MailtrapBackend({ apiKey: HEX, baseUrl }),
  mailersend: (baseUrl) => new MailerSendBackend({ apiKey: 'mlsn.123', baseUrl }),
  sparkpost: (baseUrl) => new SparkPostBackend({ apiKey: `${HEX}01234567`, transactional: true, baseUrl }),
  mandrill: (baseUrl) => new MandrillBackend({ apiKey: 'md-0123456789abcdefghij', baseUrl }),
  azure: (baseUrl) =>
    new AzureBackend({
      connectionString: 'endpoint=https://shop.example.com/;accesskey=bm90LWEtcmVhbC1rZXk=',
      baseUrl,
    }),
  'gmail-api': (baseUrl) => new GmailApiBackend({ accessToken: 'ya29.token', baseUrl }),
  'microsoft-graph': (baseUrl) => new MicrosoftGraphBackend({ accessToken: 'a.b.c', baseUrl: `${baseUrl}/v1.0` }),
  cloudflare: (baseUrl) => new CloudflareBackend({ apiToken: '0123456789abcdefghij0123', accountId: HEX, baseUrl }),
  ses: (endpoint) => new SesBackend({ region: 'us-east-1', accessKeyId: 'AKIA', secretAccessKey: 'secret', endpoint }),
};
const NAMES = Object.keys(BACKENDS);
/** Those with stored templates. */
const TEMPLATES = NAMES.filter((name) => !['azure', 'cloudflare', 'gmail-api', 'microsoft-graph'].includes(name));
/** What they say of a mail that they took. */
const SENT = ['postmark', 'ses', 'mandrill', 'gmail-api'];
/** What each does not carry of FULL. */
const LEFT_OUT: Readonly<Record<string, Partial<EmailMessageInit>>> = {
  brevo: { attachments: FULL.attachments?.slice(0, 1) ?? [], htmlBody: '<p>Hello</p>' },
  azure: { fromEmail: 'shop@bücher.example' },
};

/** What becomes of its tag and its metadata where they have no fields of their own. */
const LABELS: Readonly<Record<string, object>> = {
  resend: { metadata: { tag: 'welcome', order: '17' }, tags: [] },
  cloudflare: { metadata: {}, tags: [] },
  mailersend: { metadata: {}, tags: ['welcome'] },
  azure: { metadata: {}, tags: [] },
  'gmail-api': { metadata: {}, tags: [] },
  'microsoft-graph': { metadata: {}, tags: [] },
  ses: { metadata: { welcome: 'true', metadata_order: '17' }, tags: [] },
};

const connect = (name: string): EmailBackend => {
  const make = BACKENDS[name];
  if (make === undefined) throw new Error(`no backend ${name}`);
  return make(`${mailbox.url}/api/emulate/${name}`);
};

/** What is said of messages that a backend sends to the mailbox. */
async function send(name: string, ...messages: readonly EmailMessageInit[]) {
  const backend = connect(name);
  try {
    const results = [];
    for await (const result of backend.stream(messages)) results[result.index] = result;
    return results.map(({ messageId, error, recipients }) => ({
      messageId,
      error: error === null ? null : error.code,
      statuses: [...recipients.values()].map(({ status }) => status).join(),
    }));
  } finally {
    await backend.close();
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
const read = async (path: string): Promise<any> => (await fetch(mailbox.url + path)).json();

/** The caught mails, the oldest first, as the API shows them. */
// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
async function caught(): Promise<any[]> {
  const { messages } = await read('/api/messages');
  const shown = [];
  for (const { id } of messages.toReversed()) shown.push(await read(`/api/messages/${id}`));
  return shown;
}

describe('a mail of our own backend is caught with everything it says', () => {
  test.each(NAMES)('%s', async (name) => {
    const [told] = await send(name, { ...FULL, ...LEFT_OUT[name] });
    const ok = SENT.includes(name) ? 'sent' : 'queued';
    expect(told).toMatchObject({ error: null, statuses: [ok, ok, ok, ok].join() });
    const [mail, ...others] = await caught();
    expect(others).toEqual([]);
    expect(mail).toMatchObject({
      subject: 'Größe',
      from: { name: name === 'azure' ? '' : 'Müller, Jörg', address: 'shop@xn--bcher-kva.example' },
      to: [
        { name: 'Ann', address: 'ann@example.org' },
        { name: '', address: 'bob@example.org' },
      ],
      cc: [{ name: '', address: 'cid@example.org' }],
      bcc: ['dan@example.org'],
      via: 'api',
      facts: { vendor: name },
    });
    expect(mail.text.trim()).toBe('Hello');
    const header = (wanted: string) =>
      mail.headers.find((field: { name: string }) => field.name.toLowerCase() === wanted)?.value;
    expect(header('reply-to')).toContain('help@example.com');
    expect(header('x-order')).toBe('Nr. 17 für Sie');
    expect(header('list-unsubscribe')).toBe('<https://example.com/u>');
    const { metadata, tags } = mail;
    expect({ metadata, tags }).toEqual(LABELS[name] ?? { metadata: { order: '17' }, tags: ['welcome'] });
    if (name !== 'brevo') {
      expect(mail.html).toContain('cid:logo');
      expect(mail.files).toMatchObject([{ contentId: 'logo', isInline: true, size: 3 }, { filename: 'a.txt' }]);
    }
    const path = mail.files.at(-1)?.path;
    const text = await fetch(`${mailbox.url}/api/messages/${mail.id}/parts/${path}?download`);
    expect(await text.text()).toBe('Grüße');
    expect(mail.facts.id ?? header('message-id')?.slice(1, -1)).toBe(told?.messageId);
  });
});

describe('a stored template is shown by its name and variables', () => {
  test.each(TEMPLATES)('%s', async (name) => {
    const merge = { mergeGlobalData: { shop: 'A' }, mergeData: { 'c@example.org': { name: 'Carl' } } };
    const to = ['b@example.org', 'c@example.org'];
    const [told] = await send(name, {
      ...MAIL,
      ...merge,
      subject: '',
      body: '',
      to,
      templateId: name === 'brevo' || name === 'mailjet' ? '1' : 'd-1',
    });
    expect(told?.error).toBeNull();
    const mails = await caught();
    const shown = mails.map(({ to: [one], facts }) => [
      one.address,
      facts.templateId.replace('d-', ''),
      facts.mergeGlobalData,
    ]);
    const nobody = name === 'mailgun' ? { shop: 'A', name: '' } : { shop: 'A' };
    expect(shown.toSorted()).toEqual([
      ['b@example.org', '1', nobody],
      ['c@example.org', '1', { shop: 'A', name: 'Carl' }],
    ]);
  });
});

test('variables of recipients stand in the texts of a mail by Mailgun', async () => {
  const to = ['b@example.org', 'c@example.org'];
  const mergeData = { 'b@example.org': { name: 'Bob' }, 'c@example.org': { name: '$& Carl' } };
  await send('mailgun', { ...MAIL, to, subject: 'For %recipient.name%', body: 'Dear %recipient.name%', mergeData });
  expect((await caught()).map(({ subject, text }) => [subject, text.trim()]).toSorted()).toEqual([
    ['For $& Carl', 'Dear $& Carl'],
    ['For Bob', 'Dear Bob'],
  ]);
});

const SCHEDULES = ['resend', 'sendgrid', 'mailgun', 'brevo', 'mailersend', 'sparkpost', 'mandrill'];
test.each(SCHEDULES)('when %s is to send a mail is shown', async (name) => {
  const sendAt = new Date('2999-12-24T18:00:00Z');
  await send(name, { ...MAIL, sendAt });
  expect((await caught())[0].facts.sendAt).toBe('2999-12-24T18:00:00.000Z');
});

test.each(NAMES)('several messages to %s are as many mails', async (name) => {
  const messages = [1, 2, 3].map((number) => ({ ...MAIL, subject: `mail ${number}` }));
  const told = await send(name, ...messages);
  expect(new Set(told.map(({ messageId }) => messageId)).size).toBe(3);
  expect((await caught()).map(({ subject }) => subject).toSorted()).toEqual(['mail 1', 'mail 2', 'mail 3']);
});

test('a key that is repeated sends nothing again, and is answered as before', async () => {
  const mail = { ...MAIL, idempotencyKey: 'order-17' };
  const [first] = await send('resend', mail);
  expect(await send('resend', mail)).toEqual([first]);
  expect(await caught()).toMatchObject([{ facts: { idempotencyKey: 'order-17' } }]);
  const [other] = await send('resend', { ...mail, subject: 'another' });
  expect(other).toMatchObject({ error: 'uncertain', statuses: 'unknown' });
  expect(await caught()).toHaveLength(1);
});

describe('chaos is told as the vendor would tell it', () => {
  test.each(NAMES)('%s', async (name) => {
    const settle = async (settings: object): Promise<void> => {
      const headers = { 'content-type': 'application/json' };
      await fetch(`${mailbox.url}/api/chaos`, { method: 'PUT', headers, body: JSON.stringify(settings) });
    };
    await settle({ refuse: 100, refuseCode: 550 });
    expect(await send(name, MAIL)).toMatchObject([{ error: 'rejected', statuses: 'rejected' }]);
    if (name !== 'ses') {
      // Our backend waits until SES takes mails again.
      await settle({ refuse: 100, refuseCode: 450 });
      expect(await send(name, MAIL)).toMatchObject([{ error: 'throttled', statuses: 'failed' }]);
    }
    await settle({ refuse: 0, drop: 100 });
    expect(await send(name, MAIL)).toMatchObject([{ error: 'closed', statuses: 'unknown' }]);
    expect(await caught()).toEqual([]);
  });
});

test.each(NAMES)('verify() of %s succeeds', async (name) => {
  const backend = connect(name);
  try {
    expect(await backend.verify()).toMatchObject({ backend: name });
  } finally {
    await backend.close();
  }
});
