import { describe, expect, it, test } from 'vitest';
import { SendGridBackend, type SendGridOptions } from '../../src/backends/sendgrid.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { sendgrid } from '../servers/vendors/sendgrid.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, FULL_HEADERS, MAIL, told, verified } from './vendor-trial.ts';

const apiKey = 'SG.key.secret';
const connect = (baseUrl: string) => new SendGridBackend({ apiKey, baseUrl });

test('every field stands where SendGrid looks for it', async () => {
  const sendAt = new Date('9999-12-24T18:00:00Z');
  const extra = { espExtra: { sendgrid: { asm: { group_id: 7 } } } };
  const message = { ...FULL, sendAt, trackOpens: true, trackClicks: true, ...extra };
  const { bodies, results } = await asked(sendgrid, connect, message);
  expect(bodies).toEqual([
    {
      personalizations: [
        {
          to: [{ email: 'ann@example.org', name: 'Ann' }, { email: 'bob@example.org' }],
          cc: [{ email: 'cid@example.org' }],
          bcc: [{ email: 'dan@example.org' }],
          custom_args: { order: '17' },
        },
      ],
      from: { email: 'shop@xn--bcher-kva.example', name: 'Müller, Jörg' },
      reply_to: { email: 'help@example.com', name: 'Help' },
      subject: 'Größe',
      content: [
        { type: 'text/plain', value: 'Hello' },
        { type: 'text/html', value: '<img src="cid:logo">' },
      ],
      attachments: [
        { content: 'R3LDvMOfZQ==', filename: 'a.txt', type: 'text/plain', disposition: 'attachment' },
        { content: 'AQID', filename: 'logo.png', type: 'image/png', disposition: 'inline', content_id: 'logo' },
      ],
      headers: FULL_HEADERS,
      categories: ['welcome'],
      send_at: 253401674400,
      tracking_settings: { click_tracking: { enable: true, enable_text: true }, open_tracking: { enable: true } },
      asm: { group_id: 7 },
    },
  ]);
  expect(results[0]).toMatchObject({ messageId: 'id-1', ignored: [] });
});

test('mergeData is a personalization for each, that sees its own data and no other recipient', async () => {
  const { bodies, calls } = await asked(sendgrid, connect, {
    ...MAIL,
    subject: '',
    body: '',
    to: ['b@example.org', 'c@example.org'],
    cc: 'd@example.org',
    templateId: 'd-1',
    mergeGlobalData: { shop: 'Acme' },
    mergeData: { 'C@example.org': { name: 'Carl' } },
  });
  expect(calls).toHaveLength(1);
  const cc = [{ email: 'd@example.org' }];
  expect(bodies[0]).toEqual({
    personalizations: [
      { to: [{ email: 'b@example.org' }], cc, dynamic_template_data: { shop: 'Acme' } },
      { to: [{ email: 'c@example.org' }], cc, dynamic_template_data: { shop: 'Acme', name: 'Carl' } },
    ],
    from: { email: 'a@example.com' },
    template_id: 'd-1',
  });
});

test('two addresses for answers, a further form of the body, and an attachment without a name', async () => {
  const { bodies } = await asked(sendgrid, connect, {
    ...MAIL,
    replyTo: ['x@example.com', 'y@example.com'],
    alternatives: [{ content: 'BEGIN:VCALENDAR', mimetype: 'text/calendar; method=REQUEST' }],
    attachments: [
      { content: 'a', mimetype: 'application/pdf' },
      { content: 'a', mimetype: 'text/plain' },
      { content: 'a', mimetype: 'text/calendar; method=REQUEST' },
      { content: 'a' },
    ],
  });
  expect(bodies[0]).toMatchObject({
    reply_to_list: [{ email: 'x@example.com' }, { email: 'y@example.com' }],
    content: [{ type: 'text/plain' }, { type: 'text/calendar; method=REQUEST', value: 'BEGIN:VCALENDAR' }],
    attachments: [
      { filename: 'attachment-1.pdf' },
      { filename: 'attachment-2.txt', type: 'text/plain' },
      { filename: 'attachment-3.ics', type: 'text/calendar' }, // it refuses parameters
      { filename: 'attachment-4.bin' },
    ],
  });
});

test('the sandbox is asked for, and its answer understood', async () => {
  const sandboxed = (baseUrl: string) => new SendGridBackend({ apiKey, baseUrl, sandbox: true });
  const { bodies } = await asked(sendgrid, sandboxed, MAIL);
  expect(bodies[0].mail_settings).toEqual({ sandbox_mode: { enable: true } });
  expect(await told({ status: 200, body: '' }, sandboxed)).toMatchObject({ status: 'queued' });
  expect(await told({ status: 200, body: '' }, connect)).toMatchObject({ status: 'unknown', code: 'uncertain' });
});

test('the sandbox may be asked for in the words of SendGrid', async () => {
  const asking = (enable: unknown) => {
    const espExtra = { sendgrid: { mail_settings: { sandbox_mode: { enable } } } } as never; // of any shape
    return told({ status: 200, body: '' }, connect, { ...MAIL, espExtra });
  };
  expect(await asking(true)).toMatchObject({ status: 'queued', id: null });
  for (const enable of [false, 'true', null]) expect(await asking(enable)).toMatchObject({ status: 'unknown' });
});

test('a Message-ID of its own goes along, but not to several mails', async () => {
  const ids = async (message: object) =>
    (await asked(sendgrid, connect, { ...MAIL, ...message })).bodies[0].headers?.['Message-ID'];
  expect(await ids({ messageId: 'm@example.com' })).toBe('<m@example.com>');
  expect(await ids({ idempotencyKey: 'order-17' })).toMatch(/^<[0-9a-f]{32}@example\.com>$/);
  expect(await ids({})).toBeUndefined();
  const merge = { messageId: 'm@example.com', mergeData: {}, templateId: 'd-1', body: '' };
  expect(await ids({ ...merge, to: ['b@example.org', 'c@example.org'] })).toBeUndefined();
  expect(await ids(merge)).toBe('<m@example.com>');
});

const error = (status: number, message: string, field: string | null = null): HttpReply => ({
  status,
  body: { errors: [{ message, field, help: null }] },
});
const errors: [HttpReply, object][] = [
  [
    error(400, 'bad', 'subject'),
    { code: 'rejected', status: 'rejected', text: expect.stringContaining('subject: bad') },
  ],
  [error(400, 'no address', 'personalizations.0.to.0.email'), { code: 'invalid-recipient', status: 'invalid' }],
  [error(400, 'no such template', 'template_id'), { code: 'template' }],
  [error(401, 'unauthorized'), { code: 'auth' }],
  [error(401, 'Maximum credits exceeded'), { code: 'quota', retryable: true }],
  [error(403, 'does not match a verified Sender Identity', 'from'), { code: 'account' }],
  [error(403, 'forbidden'), { code: 'auth' }],
  [error(413, 'too large'), { code: 'too-large' }],
  [error(429, 'too many'), { code: 'throttled', retryable: true }],
  [error(503, 'later'), { code: 'uncertain', status: 'unknown' }],
];
test.each(errors)('%j', async (reply, expected) => {
  expect(await told(reply, connect)).toMatchObject(expected);
});

describe('verify', () => {
  test.each<[HttpReply, object]>([
    [{ body: { scopes: ['mail.send'] } }, { canSend: true }],
    [{ body: { scopes: ['stats.read'] } }, { canSend: false }],
    [{ status: 401 }, { code: 'auth' }],
  ])('%j', async (reply, expected) => {
    expect(await verified(reply, connect)).toEqual({ asked: '/v3/scopes', ...expected });
  });
});

test.each<[SendGridOptions, string]>([
  [{}, 'SENDGRID_API_KEY'],
  [{ apiKey: 're_123' }, "begins with 'SG.'"],
  [{ apiKey, region: 'us' } as unknown as SendGridOptions, "one of 'global', 'eu'"],
])('options %j are refused', (options, text) => {
  expect(() => new SendGridBackend(options)).toThrow(text);
});

test.each([{ errors: 'bad' }, { errors: [null] }, 'nonsense', null])('a refusal that says %j is one', async (body) => {
  expect(await told({ status: 400, body }, connect)).toMatchObject({ status: 'rejected', code: 'rejected' });
});

describeBackend('sendgrid', vendorSubject(sendgrid, connect), { describe, it });

describeVendorFaults('sendgrid', {
  vendor: sendgrid,
  connect: (baseUrl, options) => new SendGridBackend({ apiKey, baseUrl, ...options }),
});
