import { describe, expect, onTestFinished, test } from 'vitest';
import { startMailbox } from '../../../src/mailbox/mailbox.ts';
import {
  askAt,
  BREVO,
  CLOUDFLARE,
  form,
  JSON_TYPE,
  MAILGUN,
  OUTBOUND,
  POSTMARK,
  RESEND,
  SEND,
  SENDGRID,
  SES,
  testMailbox,
} from './vendor-requests.ts';

const { count, post } = testMailbox();

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
    const small = await startMailbox({ port: 0, smtpPort: null, maxSize: 1000 });
    onTestFinished(() => small.close());
    const large = { ...RESEND, html: 'x'.repeat(2000) };
    expect(await askAt(small.url, 'POST', 'resend', '/emails', large)).toMatchObject({
      status: 413,
      body: { statusCode: 413 },
    });
    const huge = { ...RESEND, html: 'x'.repeat(1_200_000) };
    expect(await askAt(small.url, 'POST', 'resend', '/emails', huge)).toMatchObject({
      status: 413,
      body: { statusCode: 413 },
    });
  });
});
