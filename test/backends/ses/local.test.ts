import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CreateEmailTemplateCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SesBackend, type SesOptions } from '../../../src/backends/ses.ts';
import type { SendError } from '../../../src/model/errors.ts';
import { ACCOUNT, type SesLocal, startSesLocal } from '../../servers/ses-local.ts';

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const FROM = 'Shop <shop@example.com>';

let ses: SesLocal;
let client: SESv2Client;

beforeAll(async () => {
  ses = await startSesLocal();
  client = new SESv2Client({ endpoint: ses.endpoint, region: 'us-east-1', credentials: { ...KEYS } });
});
afterAll(async () => {
  client.destroy();
  await ses.close();
});
beforeEach(async () => {
  await ses.clear();
  const TemplateContent = { Subject: 'Hello {{name}}', Text: '{{greeting}}, {{name}}!', Html: '<b>{{name}}</b>' };
  await client.send(new CreateEmailTemplateCommand({ TemplateName: 'welcome', TemplateContent }));
});

function connect(options: SesOptions = {}): SesBackend {
  return new SesBackend({ endpoint: ses.endpoint, ...KEYS, ...options });
}

describe('against aws-ses-v2-local', () => {
  test('a mail arrives with its bodies and files, and SES names it', async () => {
    const png = readFileSync(fileURLToPath(new URL('local.test.ts', import.meta.url)));
    const status = await connect().sendMessages([
      {
        subject: 'Grüße',
        body: 'Hello Jane',
        htmlBody: '<img src="cid:logo">',
        fromEmail: FROM,
        to: 'Jané <jane@example.org>',
        cc: 'bob@example.org',
        replyTo: 'help@example.com',
        attachments: [
          { filename: 'logo.png', content: png, contentId: 'logo' },
          { filename: 'report.txt', content: 'Zahlen' },
        ],
      },
    ]);
    const [mail] = await ses.mails();
    expect(status.messageId).toBe(mail?.messageId);
    expect(status.recipients.get('jane@example.org')).toMatchObject({
      status: 'sent',
      code: 200,
      messageId: mail?.messageId,
    });
    expect(mail).toMatchObject({
      from: '"Shop" <shop@example.com>',
      replyTo: ['help@example.com'],
      subject: 'Grüße',
      body: { text: 'Hello Jane' },
    });
    expect(mail?.destination).toMatchObject({ to: ['"Jané" <jane@example.org>'], cc: ['bob@example.org'] });
    expect(
      mail?.attachments.map(({ filename, content }) => [filename, Buffer.from(content, 'base64').toString()]),
    ).toEqual([
      ['logo.png', png.toString()],
      ['report.txt', 'Zahlen'],
    ]);
  });

  test('a stored template is filled with mergeGlobalData, for the whole Destination', async () => {
    const status = await connect().sendMessages([
      {
        subject: '',
        fromEmail: FROM,
        to: ['jane@example.org', 'Bob B. <bob@example.org>'],
        cc: 'carl@example.org',
        bcc: 'dora@example.org',
        replyTo: 'Help <help@example.com>',
        templateId: 'welcome',
        mergeGlobalData: { name: 'all', greeting: 'Hi' },
        headers: { 'X-Campaign': 'spring' },
        attachments: [{ filename: 'terms.txt', content: 'Terms', mimetype: 'text/plain' }],
      },
    ]);
    expect(status.isSuccess).toBe(true);
    expect(await ses.mails()).toEqual([
      expect.objectContaining({
        from: FROM,
        subject: 'Hello all',
        body: { text: 'Hi, all!', html: '<b>all</b>' },
        replyTo: ['Help <help@example.com>'],
        destination: {
          to: ['jane@example.org', '"Bob B." <bob@example.org>'],
          cc: ['carl@example.org'],
          bcc: ['dora@example.org'],
        },
        headers: [{ name: 'X-Campaign', value: 'spring' }],
        attachments: [
          expect.objectContaining({ filename: 'terms.txt', content: Buffer.from('Terms').toString('base64') }),
        ],
      }),
    ]);
  });

  test('mergeData makes one mail for each recipient, its variables over those for all', async () => {
    const status = await connect().sendMessages([
      {
        subject: '',
        fromEmail: FROM,
        to: ['jane@example.org', 'bob@example.org'],
        templateId: 'welcome',
        mergeGlobalData: { name: 'you', greeting: 'Hi' },
        mergeData: { 'JANE@example.org': { name: 'Jane' }, 'bob@example.org': { greeting: 'Ho' } },
      },
    ]);
    const mails = await ses.mails();
    expect(mails.map(({ destination, body }) => [destination.to, body.text])).toEqual([
      [['jane@example.org'], 'Hi, Jane!'],
      [['bob@example.org'], 'Ho, you!'],
    ]);
    expect([...status.recipients.values()].map(({ messageId }) => messageId)).toEqual(
      mails.map(({ messageId }) => messageId),
    );
    expect(status.messageId).toEqual(new Set(mails.map(({ messageId }) => messageId)));
  });

  test('without a templateId the subject and the bodies are the template', async () => {
    await connect().sendMessages([
      {
        subject: 'Dear {{name}}',
        body: 'Your code is {{code}}',
        htmlBody: '<p>{{code}}</p>',
        fromEmail: FROM,
        to: ['jane@example.org', 'bob@example.org'],
        mergeData: { 'jane@example.org': { name: 'Jane', code: 1 }, 'bob@example.org': { name: 'Bob', code: 2 } },
      },
      {
        subject: 'For {{who}}',
        body: 'All of {{who}}',
        fromEmail: FROM,
        to: ['x@example.org', 'y@example.org'],
        mergeGlobalData: { who: 'you' },
      },
    ]);
    const mails = await ses.mails();
    expect(
      mails
        .map(({ destination, subject, body }) => [destination.to.join(), subject, body.text, body.html ?? null])
        .sort(),
    ).toEqual([
      ['bob@example.org', 'Dear Bob', 'Your code is 2', '<p>2</p>'],
      ['jane@example.org', 'Dear Jane', 'Your code is 1', '<p>1</p>'],
      ['x@example.org,y@example.org', 'For you', 'All of you', ''],
    ]);
  });

  test('a template that is not there is an error of the mail', async () => {
    const sending = connect().sendMessages([
      { subject: '', fromEmail: FROM, to: 'jane@example.org', templateId: 'gone' },
    ]);
    const error: SendError = await sending.then(
      () => Promise.reject(new Error('sent')),
      (reason) => reason,
    );
    expect(error.status?.recipients.get('jane@example.org')?.status).toBe('failed');
    expect(await ses.mails()).toEqual([]);
  });

  test('verify tells region, quota and sandbox, and sends nothing', async () => {
    const backend = connect({ region: 'eu-west-1' });
    expect((await backend.verify()).details).toEqual({
      region: 'eu-west-1',
      isInSandbox: true,
      enforcementStatus: 'HEALTHY',
      max24HourSend: ACCOUNT.SendQuota.Max24HourSend,
      maxSendRate: ACCOUNT.SendQuota.MaxSendRate,
      sentLast24Hours: ACCOUNT.SendQuota.SentLast24Hours,
      tracking: true,
    });
    expect(backend.stats().quota).toEqual({ max24HourSend: 50_000, maxSendRate: 500, sentLast24Hours: 12 });
    expect(await ses.mails()).toEqual([]);
  });
});
