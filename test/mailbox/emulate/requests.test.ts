import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type MailboxServer, startMailbox } from '../../../src/mailbox/mailbox.ts';

let mailbox: MailboxServer;

beforeEach(async () => {
  mailbox = (await startMailbox({ port: 0, smtpPort: null })) as MailboxServer; // the class behind the interface
});
afterEach(() => mailbox.close());

const KEYS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  resend: { authorization: 'Bearer test' },
  sendgrid: { authorization: 'Bearer test' },
  postmark: { 'x-postmark-server-token': 'POSTMARK_API_TEST' },
  mailgun: { authorization: `Basic ${btoa('api:test')}` },
  brevo: { 'api-key': 'test' },
  cloudflare: { authorization: 'Bearer test' },
  ses: { authorization: 'AWS4-HMAC-SHA256 Credential=test' },
};
const JSON_TYPE = { 'content-type': 'application/json' };

/** What a vendor's endpoint answers to a body; an object that is no form is written as JSON. */
async function post(vendor: string, path: string, body: unknown, headers?: Readonly<Record<string, string>>) {
  const isForm = body instanceof FormData || body instanceof URLSearchParams;
  const answer = await fetch(`${mailbox.url}/api/emulate/${vendor}${path}`, {
    method: 'POST',
    headers: headers ?? { ...KEYS[vendor], ...(!isForm && JSON_TYPE) },
    body: isForm || typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
  };
}

/** What the newest caught mail is, as the API shows it. */
// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
async function newest(): Promise<any> {
  const { messages } = await (await fetch(`${mailbox.url}/api/messages`)).json();
  return (await fetch(`${mailbox.url}/api/messages/${messages[0].id}`)).json();
}

async function count(): Promise<number> {
  return (await (await fetch(`${mailbox.url}/api/messages`)).json()).total;
}

const RESEND = { from: 'Acme <a@example.com>', to: 'b@example.org', subject: 's', html: '<p>Hi</p>' };
const SENDGRID = {
  personalizations: [{ to: [{ email: 'b@example.org' }] }],
  from: { email: 'a@example.com', name: 'Acme' },
  subject: 's',
  content: [{ type: 'text/html', value: '<p>Hi</p>' }],
};
const POSTMARK = { From: 'Acme <a@example.com>', To: 'b@example.org', Subject: 's', HtmlBody: '<p>Hi</p>' };
const MAILGUN = { from: 'Acme <a@example.com>', to: 'b@example.org', subject: 's', html: '<p>Hi</p>' };
const BREVO = { sender: { email: 'a@example.com' }, to: [{ email: 'b@example.org' }], subject: 's', textContent: 'x' };
const CLOUDFLARE = { from: 'a@example.com', to: 'b@example.org', subject: 's', text: 'x' };
const SES = {
  FromEmailAddress: 'a@example.com',
  Destination: { ToAddresses: ['b@example.org'] },
  Content: { Simple: { Subject: { Data: 's' }, Body: { Text: { Data: 'x' } } } },
};
const SEND = '/accounts/0123456789abcdef0123456789abcdef/email/sending/send';
const OUTBOUND = '/v2/email/outbound-emails';
const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields);

describe('a mistake is told in the shape of the vendor, and nothing is caught', () => {
  const faults: [what: string, vendor: string, path: string, body: unknown, status: number, answer: object | string][] =
    [
      ...(
        [
          [
            'a field that does not exist',
            { ...RESEND, replyTo: 'x@example.com' },
            422,
            'validation_error',
            /`replyTo`/,
          ],
          ['a wrong type', { ...RESEND, to: 7 }, 422, 'validation_error', /`to` .*string or an array, got number/],
          ['no subject', { ...RESEND, subject: undefined }, 422, 'missing_required_field', /^Missing `subject` field/],
          ['no text', { ...RESEND, html: undefined }, 422, 'missing_required_field', /`html` or `text`/],
          ['a bad address', { ...RESEND, to: ['b@example.org', 'nobody'] }, 422, 'validation_error', /`to\[1\]`/],
          [
            'a line break in a header',
            { ...RESEND, headers: { 'X-A': 'a\r\nBcc: x@y.org' } },
            422,
            'validation_error',
            /X-A/,
          ],
          [
            'what is no base64',
            { ...RESEND, attachments: [{ filename: 'a', content: '!' }] },
            422,
            'validation_error',
            /base64/,
          ],
        ] as const
      ).map(([what, body, status, name, message]): (typeof faults)[number] => [
        what,
        'resend',
        '/emails',
        body,
        status,
        { statusCode: status, name, message: expect.stringMatching(message) },
      ]),
      ['a batch of 101', 'resend', '/emails/batch', new Array(101).fill(RESEND), 413, { name: 'validation_error' }],
      [
        'an attachment in a batch',
        'resend',
        '/emails/batch',
        [{ ...RESEND, attachments: [] }],
        422,
        { message: expect.stringContaining('attachments') },
      ],
      ...(
        [
          [
            'a field that does not exist',
            { ...SENDGRID, replyTo: {} },
            'replyTo',
            /Additional property replyTo is not allowed/,
          ],
          [
            'a wrong type',
            { ...SENDGRID, personalizations: [{ to: ['b@example.org'] }] },
            'personalizations.0.to.0',
            /got string/,
          ],
          ['a field that is missing', { ...SENDGRID, from: undefined }, 'from', /required/],
          ['no content', { ...SENDGRID, content: undefined }, 'content', /required/],
          [
            'HTML before the text',
            { ...SENDGRID, content: [...SENDGRID.content, { type: 'text/plain', value: 'x' }] },
            'content.1.type',
            /first/,
          ],
          [
            'a bad address',
            { ...SENDGRID, personalizations: [{ to: [{ email: 'nobody' }] }] },
            'personalizations.0.to.0.email',
            /valid address/,
          ],
          [
            'an address twice',
            { ...SENDGRID, personalizations: [{ to: [{ email: 'b@example.org' }], cc: [{ email: 'b@example.org' }] }] },
            'personalizations.0',
            /unique/,
          ],
        ] as const
      ).map(([what, body, field, message]): (typeof faults)[number] => [
        what,
        'sendgrid',
        '/v3/mail/send',
        body,
        400,
        { errors: [{ field, message: expect.stringMatching(message), help: null }] },
      ]),
      ...(
        [
          ['a field that does not exist', { ...POSTMARK, Html: 'x' }, 403, /Html/],
          ['a wrong type', { ...POSTMARK, To: ['b@example.org'] }, 403, /To must be a string/],
          ['no body', { ...POSTMARK, HtmlBody: '' }, 300, /TextBody/],
          ['a bad address', { ...POSTMARK, To: 'b@example.org, nobody' }, 300, /^Invalid 'To' address/],
          ['links that are tracked by a wrong word', { ...POSTMARK, TrackLinks: 'All' }, 300, /TrackLinks/],
        ] as const
      ).map(([what, body, ErrorCode, message]): (typeof faults)[number] => [
        what,
        'postmark',
        '/email',
        body,
        422,
        { ErrorCode, Message: expect.stringMatching(message) },
      ]),
      [
        'a template without a model',
        'postmark',
        '/email/withTemplate',
        { From: 'a@example.com', To: 'b@example.org', TemplateId: 1 },
        422,
        { ErrorCode: 300 },
      ],
      [
        'a template that is not named',
        'postmark',
        '/email/withTemplate',
        { From: 'a@example.com', To: 'b@example.org', TemplateModel: {} },
        422,
        { ErrorCode: 300 },
      ],
      ...(
        [
          ['a field that does not exist', { ...MAILGUN, 'o:tags': 'x' }, /o:tags/],
          ['a field that is missing', { ...MAILGUN, to: '' }, /^to parameter/],
          ['no sender', form({ to: 'b@example.org', text: 'x' }), /from parameter is missing/],
          ['no text', { from: 'a@example.com', to: 'b@example.org' }, /'text'/],
          ['a bad address', { ...MAILGUN, to: 'b@example.org, nobody' }, /to\[1\] parameter is not a valid address/],
          ['variables that are no JSON', { ...MAILGUN, 'recipient-variables': '{' }, /recipient-variables/],
        ] as const
      ).map(([what, fields, message]): (typeof faults)[number] => [
        what,
        'mailgun',
        '/v3/mg.example.com/messages',
        fields instanceof URLSearchParams ? fields : form(fields as Readonly<Record<string, string>>),
        400,
        { message: expect.stringMatching(message) },
      ]),
    ];
  const more: typeof faults = [
    [
      'a field that does not exist',
      'brevo',
      '/v3/smtp/email',
      { ...BREVO, html: 'x' },
      400,
      { code: 'invalid_parameter', message: expect.stringMatching(/^html/) },
    ],
    ['no sender', 'brevo', '/v3/smtp/email', { ...BREVO, sender: undefined }, 400, { code: 'missing_parameter' }],
    [
      'a bad address',
      'brevo',
      '/v3/smtp/email',
      { ...BREVO, to: [{ email: 'nobody' }] },
      400,
      { message: expect.stringMatching(/^to\[0\]/) },
    ],
    [
      'a field that does not exist',
      'cloudflare',
      SEND,
      { ...CLOUDFLARE, replyTo: 'x' },
      400,
      { success: false, errors: [{ message: expect.stringMatching(/^replyTo/) }] },
    ],
    ['no text', 'cloudflare', SEND, { ...CLOUDFLARE, text: undefined }, 400, { success: false }],
    [
      'a field that does not exist',
      'ses',
      OUTBOUND,
      { ...SES, Tags: [] },
      400,
      { message: expect.stringMatching(/^Tags/) },
    ],
    ['no content', 'ses', OUTBOUND, { ...SES, Content: {} }, 400, { message: expect.stringMatching(/^Content/) }],
    [
      'a bad address',
      'ses',
      OUTBOUND,
      { ...SES, FromEmailAddress: 'nobody' },
      400,
      { message: expect.stringMatching(/^FromEmailAddress/) },
    ],
  ];
  test.each([...faults, ...more])('%s, to %s%s', async (_, vendor, path, body, status, answer) => {
    const told = await post(vendor, path, body);
    expect(told).toMatchObject({ status, body: answer });
    expect(await count()).toBe(0);
  });

  test.each([
    ['resend', '/emails', RESEND, { statusCode: 401, name: 'missing_api_key' }],
    ['sendgrid', '/v3/mail/send', SENDGRID, { errors: [{ message: 'authorization required' }] }],
    ['postmark', '/email', POSTMARK, { ErrorCode: 10 }],
    ['brevo', '/v3/smtp/email', BREVO, { code: 'unauthorized' }],
    ['cloudflare', SEND, CLOUDFLARE, { success: false, errors: [{ code: 10_000 }] }],
    ['ses', OUTBOUND, SES, { message: 'Missing Authentication Token' }],
  ])('no key, to %s', async (vendor, path, body, answer) => {
    const status = vendor === 'ses' ? 403 : 401;
    expect(await post(vendor, path, body, JSON_TYPE)).toMatchObject({ status, body: answer });
    expect(await count()).toBe(0);
  });

  test('no key, to mailgun', async () => {
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const told = await post('mailgun', '/v3/mg.example.com/messages', form(MAILGUN).toString(), type);
    expect(told).toMatchObject({ status: 401, body: 'Forbidden' });
  });

  test.each([
    ['resend', '/emails', { name: 'validation_error' }],
    ['sendgrid', '/v3/mail/send', { errors: [{}] }],
    ['postmark', '/email', { ErrorCode: 402 }],
    ['mailgun', '/v3/mg.example.com/messages', { message: expect.stringContaining('content-type') }],
  ])('what cannot be read, to %s', async (vendor, path, answer) => {
    const told = await post(vendor, path, 'no json');
    expect(told).toMatchObject({ body: answer });
    expect(told.status).toBeGreaterThanOrEqual(400);
  });

  test('what is not emulated, and a vendor that is not', async () => {
    expect(await post('resend', '/broadcasts', {})).toMatchObject({
      status: 404,
      body: { name: 'not_found', message: expect.stringContaining('POST /emails') },
    });
    expect(await post('acme', '/emails', {})).toMatchObject({
      status: 404,
      body: { error: { message: expect.stringContaining('resend, sendgrid') } },
    });
    expect(await post('__proto__', '/emails', {})).toMatchObject({ status: 404 });
  });

  test('a mail that is too large', async () => {
    mailbox = (await startMailbox({ port: 0, smtpPort: null, maxSize: 1000 })) as MailboxServer; // the class behind it
    onTestFinished(() => mailbox.close());
    const large = { ...RESEND, html: 'x'.repeat(2000) };
    expect(await post('resend', '/emails', large)).toMatchObject({ status: 413, body: { statusCode: 413 } });
    const huge = { ...RESEND, html: 'x'.repeat(1_200_000) };
    expect(await post('resend', '/emails', huge)).toMatchObject({ status: 413, body: { statusCode: 413 } });
  });
});

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
    const { messages } = await (await fetch(`${mailbox.url}/api/messages`)).json();
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

describe('what further vendors take', () => {
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
    const { messages } = await (await fetch(`${mailbox.url}/api/messages`)).json();
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
