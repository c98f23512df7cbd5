import { describe, expect, test } from 'vitest';
import {
  BREVO,
  CLOUDFLARE,
  form,
  JSON_TYPE,
  KEYS,
  MAILGUN,
  OUTBOUND,
  POSTMARK,
  RESEND,
  SEND,
  SENDGRID,
  SES,
  testMailbox,
} from './vendor-requests.ts';

const { count, newest, post, url } = testMailbox();

describe('what vendors take beside what our backends say', () => {
  test('Resend: a Buffer, a schedule in words, a file at a URL, which is not fetched', async () => {
    const attachments = [
      { filename: 'a.txt', content: Buffer.from('Hi').toJSON() },
      { filename: 'b.txt', path: 'https://example.com/b.txt' },
    ];
    const told = await post('resend', '/emails', { ...RESEND, attachments, scheduled_at: 'in 1 hour' });
    expect(told).toMatchObject({ status: 200, body: { id: expect.stringMatching(/^[\da-f-]{36}$/) } });
    const mail = await newest();
    expect(mail.files).toMatchObject([{ filename: 'a.txt', size: 2 }]);
    const own = { scheduled_at: 'in 1 hour', attachments: ['https://example.com/b.txt'] };
    expect(mail.facts).toEqual({ vendor: 'resend', id: told.body.id, espExtra: { resend: own } });
  });

  test('Resend: a batch, strict by itself and permissive when asked', async () => {
    const batch = [RESEND, { ...RESEND, to: 'nobody' }, { ...RESEND, subject: undefined }];
    expect(await post('resend', '/emails/batch', batch)).toMatchObject({ status: 422 });
    expect(await count()).toBe(0);
    const headers = { ...KEYS['resend'], ...JSON_TYPE, 'x-batch-validation': 'permissive' };
    const told = await post('resend', '/emails/batch', batch, headers);
    expect(told.body).toEqual({
      data: [{ id: expect.any(String) }],
      errors: [
        { index: 1, message: expect.stringContaining('`to`') },
        { index: 2, message: expect.stringContaining('`subject`') },
      ],
    });
    expect(await count()).toBe(1);
  });

  test('SendGrid: substitutions, a subject of each, settings', async () => {
    const personalizations = [
      { to: [{ email: 'b@example.org', name: 'Bob' }], subject: 'Hi -name-', substitutions: { '-name-': 'Bob' } },
      { to: [{ email: 'c@example.org' }], headers: { 'X-One': '1' }, send_at: 32_503_680_000 },
    ];
    const content = [{ type: 'text/plain', value: 'Dear -name-' }];
    const mail = {
      ...SENDGRID,
      personalizations,
      content,
      asm: { group_id: 7 },
      headers: { 'Message-ID': '<1@a.org>' },
    };
    const told = await post('sendgrid', '/v3/mail/send', mail);
    expect(told).toMatchObject({ status: 202, body: '' });
    expect(told.headers.get('x-message-id')).toMatch(/^[\w-]+$/);
    const { messages } = await (await fetch(`${url()}/api/messages`)).json();
    expect(messages).toMatchObject([
      { subject: 's', facts: { sendAt: '3000-01-01T00:00:00.000Z', espExtra: { sendgrid: { asm: { group_id: 7 } } } } },
      { subject: 'Hi Bob', to: [{ name: 'Bob' }], snippet: 'Dear Bob' },
    ]);
  });

  test('Postmark: null for nothing, a batch of which one is wrong', async () => {
    const told = await post('postmark', '/email/batch', [
      { ...POSTMARK, Cc: null, Attachments: null, MessageStream: 'outbound' },
      { ...POSTMARK, To: 'nobody' },
    ]);
    expect(told).toMatchObject({
      status: 200,
      body: [
        { ErrorCode: 0, Message: 'OK', To: 'b@example.org', MessageID: expect.any(String) },
        { ErrorCode: 300, Message: expect.stringContaining("'To'") },
      ],
    });
    expect(await newest()).toMatchObject({
      subject: 's',
      facts: { espExtra: { postmark: { MessageStream: 'outbound' } } },
    });
  });

  test('Mailgun: a list in one field, an inline file, a mail of its own source', async () => {
    const fields = new FormData();
    for (const [name, value] of Object.entries({ ...MAILGUN, to: '"Doe, Jane" <b@example.org>, c@example.org' }))
      fields.append(name, value);
    fields.append('o:tag', 'one');
    fields.append('o:tag', 'two');
    fields.append('o:require-tls', 'yes');
    fields.append('v:user', '7');
    fields.append('inline', new Blob(['x'], { type: 'image/png' }), 'größe.png');
    fields.append('attachment', new Blob(['y']), 'größe.txt');
    fields.append('inline', new Blob(['x'], { type: 'image/png' }), 'logo.png');
    expect(await post('mailgun', '/v3/mg.example.com/messages', fields)).toMatchObject({ status: 200 });
    expect(await newest()).toMatchObject({
      to: [{ name: 'Doe, Jane' }, { address: 'c@example.org' }],
      tags: ['one', 'two'],
      metadata: { user: '7' },
      facts: { vendor: 'mailgun', espExtra: { mailgun: { 'o:require-tls': ['yes'] } } },
      files: [{ contentId: 'logo.png' }, { filename: 'größe.txt' }, { filename: 'größe.png' }],
    });

    const source = 'From: a@example.com\r\nSubject: Whole\r\nMessage-ID: <9@example.com>\r\n\r\nText\r\n';
    const raw = new FormData();
    raw.append('to', 'b@example.org');
    raw.append('message', new Blob([source]), 'message.mime');
    const answer = await post('mailgun', '/v3/mg.example.com/messages.mime', raw);
    expect(answer).toMatchObject({ status: 200, body: { id: '<9@example.com>' } });
    expect(await newest()).toMatchObject({
      subject: 'Whole',
      envelope: { from: 'a@example.com', to: ['b@example.org'] },
    });
  });
});

describe('what Brevo, Cloudflare and SES take', () => {
  test('Brevo: versions, of which each is a mail, and a key that is used once', async () => {
    const messageVersions = [
      { to: [{ email: 'b@example.org' }], subject: 'For Bob', params: { name: 'Bob' } },
      { to: [{ email: 'c@example.org', name: '=?UTF-8?Q?Gr=C3=BC=C3=9Fe,_C?=' }] },
    ];
    const { to: _, ...rest } = BREVO;
    const headers = { idempotencyKey: 'k', 'X-Mailin-custom': '{"order":"17"}' };
    const mail = { ...rest, params: { shop: 'A' }, headers, messageVersions };
    const told = await post('brevo', '/v3/smtp/email', mail);
    expect(told).toMatchObject({ status: 201, body: { messageIds: [expect.any(String), expect.any(String)] } });
    const { messages } = await (await fetch(`${url()}/api/messages`)).json();
    expect(messages).toMatchObject([
      {
        subject: 's',
        to: [{ name: 'Grüße, C' }],
        metadata: { order: '17' },
        facts: { mergeGlobalData: { shop: 'A' } },
      },
      { subject: 'For Bob', facts: { mergeGlobalData: { shop: 'A', name: 'Bob' } } },
    ]);
    const again = { status: 400, body: { code: 'duplicate_parameter' } };
    expect(await post('brevo', '/v3/smtp/email', mail)).toMatchObject(again);
    expect(await count()).toBe(2);
  });

  test('Cloudflare: a mail of fields, told of each recipient', async () => {
    const attachments = [
      { content: 'AQID', filename: 'logo.png', type: 'image/png', disposition: 'inline', content_id: 'logo' },
    ];
    const from = { address: 'a@example.com', name: 'Acme' };
    const told = await post('cloudflare', SEND, { ...CLOUDFLARE, from, bcc: ['c@example.org'], attachments });
    expect(told.body).toMatchObject({
      success: true,
      result: { queued: ['b@example.org', 'c@example.org'], permanent_bounces: [] },
    });
    expect(await newest()).toMatchObject({
      from: { name: 'Acme' },
      bcc: ['c@example.org'],
      files: [{ contentId: 'logo' }],
    });
  });

  test('SES: a simple mail, and a bulk request of which one entry is wrong', async () => {
    const Attachments = [{ FileName: 'a.txt', RawContent: 'SGk=', ContentType: 'text/plain' }];
    const Simple = { ...SES.Content.Simple, Headers: [{ Name: 'X-A', Value: '1' }], Attachments };
    const told = await post('ses', OUTBOUND, { ...SES, Content: { Simple }, ConfigurationSetName: 'c' });
    expect(told).toMatchObject({ status: 200, body: { MessageId: expect.any(String) } });
    expect(await newest()).toMatchObject({
      facts: { vendor: 'ses', id: told.body.MessageId, espExtra: { ses: { ConfigurationSetName: 'c' } } },
      files: [{ filename: 'a.txt', size: 2 }],
    });
    const bulk = {
      FromEmailAddress: 'a@example.com',
      DefaultContent: { Template: { TemplateName: 'welcome', TemplateData: '{"shop":"A"}' } },
      BulkEmailEntries: [
        {
          Destination: { ToAddresses: ['b@example.org'] },
          ReplacementEmailContent: { ReplacementTemplate: { ReplacementTemplateData: '{"name":"Bob"}' } },
        },
        { Destination: { ToAddresses: ['nobody'] } },
      ],
    };
    const source = 'From: a@example.com\r\nTo: Bob <b@example.org>\r\nBcc: c@example.org\r\n\r\nText\r\n';
    await post('ses', OUTBOUND, { Content: { Raw: { Data: btoa(source) } } });
    expect((await newest()).envelope).toEqual({ from: 'a@example.com', to: ['b@example.org', 'c@example.org'] });
    const results = await post('ses', '/v2/email/outbound-bulk-emails', bulk);
    expect(results.body).toEqual({
      BulkEmailEntryResults: [
        { Status: 'SUCCESS', MessageId: expect.any(String) },
        { Status: 'INVALID_PARAMETER', Error: expect.stringContaining('ToAddresses') },
      ],
    });
    expect(await newest()).toMatchObject({
      facts: { templateId: 'welcome', mergeGlobalData: { shop: 'A', name: 'Bob' } },
    });
  });
});

describe('a page of another origin puts no mail into the mailbox', () => {
  test.each([
    ['cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['another port', { 'sec-fetch-site': 'same-site' }],
    ['an old browser', { origin: 'http://evil.example' }],
    ['a sandboxed frame', { origin: 'null' }],
  ])('%s', async (_, guarded) => {
    const json = await post('resend', '/emails', RESEND, { ...KEYS['resend'], ...JSON_TYPE, ...guarded });
    expect(json.status).toBe(403);
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const headers = { ...KEYS['mailgun'], ...type, ...guarded };
    expect((await post('mailgun', '/v3/mg.example.com/messages', form(MAILGUN).toString(), headers)).status).toBe(403);
    expect(await count()).toBe(0);
  });

  test('and a body that is not said to be JSON is not read as such', async () => {
    const headers = { ...KEYS['resend'], 'content-type': 'text/plain' };
    expect(await post('resend', '/emails', RESEND, headers)).toMatchObject({ status: 400 });
    expect(await count()).toBe(0);
  });
});
