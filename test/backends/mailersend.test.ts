import { describe, expect, it, test } from 'vitest';
import { MailerSendBackend, type MailerSendOptions } from '../../src/backends/mailersend.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { mailersend } from '../servers/vendors/mailersend.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, FULL_HEADERS, MAIL, told, verified } from './vendor-trial.ts';

const apiKey = 'mlsn.123';
const connect = (baseUrl: string) => new MailerSendBackend({ apiKey, baseUrl });

test('every field stands where MailerSend looks for it', async () => {
  const thread = { inReplyTo: 'b@x.org', references: ['a@x.org', 'b@x.org'] };
  const sendAt = new Date('9999-12-24T18:00:00Z');
  const message = { ...FULL, ...thread, sendAt, trackOpens: true, trackClicks: true };
  const { bodies, results } = await asked(mailersend, connect, message);
  expect(bodies).toEqual([
    {
      from: { email: 'shop@xn--bcher-kva.example', name: 'Müller, Jörg' },
      to: [{ email: 'ann@example.org', name: 'Ann' }, { email: 'bob@example.org' }],
      cc: [{ email: 'cid@example.org' }],
      bcc: [{ email: 'dan@example.org' }],
      reply_to: { email: 'help@example.com', name: 'Help' },
      subject: 'Größe',
      text: 'Hello',
      html: '<img src="cid:logo">',
      attachments: [
        { filename: 'a.txt', content: 'R3LDvMOfZQ==', disposition: 'attachment' },
        { filename: 'logo.png', content: 'AQID', disposition: 'inline', id: 'logo' },
      ],
      tags: ['welcome'],
      settings: { track_opens: true, track_clicks: true },
      send_at: 253401674400,
      in_reply_to: 'b@x.org',
      references: ['a@x.org', 'b@x.org'],
      list_unsubscribe: '<https://example.com/u>',
      headers: [{ name: 'X-Order', value: FULL_HEADERS['X-Order'] }],
    },
  ]);
  expect(results[0]).toMatchObject({ messageId: 'id-1', ignored: ['metadata', 'priority'] });
});

test('mergeData is a request for each, whose variables fill a template or the texts', async () => {
  const merge = {
    ...MAIL,
    to: ['b@example.org', 'c@example.org'],
    cc: 'd@example.org',
    mergeGlobalData: { shop: 'Acme' },
    mergeData: { 'c@example.org': { name: 'Carl' } },
  };
  const common = { from: { email: 'a@example.com' }, cc: [{ email: 'd@example.org' }] };
  const each = [
    {
      to: [{ email: 'b@example.org' }],
      personalization: [{ email: 'b@example.org', data: { shop: 'Acme' } }],
    },
    {
      to: [{ email: 'c@example.org' }],
      personalization: [{ email: 'c@example.org', data: { shop: 'Acme', name: 'Carl' } }],
    },
  ];
  const { bodies } = await asked(mailersend, connect, { ...merge, subject: '', body: '', templateId: 'vzq123' });
  expect(bodies).toEqual(each.map((own) => ({ ...common, ...own, template_id: 'vzq123' })));
  const { bodies: texts } = await asked(mailersend, connect, merge);
  expect(texts).toEqual(each.map((own) => ({ ...common, ...own, subject: 's', text: 'b' })));
});

test('variables of all fill the texts of one mail to several', async () => {
  const to = ['b@example.org', 'c@example.org'];
  const { bodies } = await asked(mailersend, connect, { ...MAIL, to, mergeGlobalData: { shop: 'Acme' } });
  expect(bodies[0].personalization).toEqual(to.map((email) => ({ email, data: { shop: 'Acme' } })));
});

test('without variables braces are braces', async () => {
  const { bodies } = await asked(mailersend, connect, { ...MAIL, body: '{{ name }}', mergeData: {} });
  expect(bodies[0]).not.toHaveProperty('personalization');
});

const taken = (warnings?: readonly object[], headers: HttpReply['headers'] = { 'x-message-id': 'm' }): HttpReply => ({
  status: 202,
  headers,
  body: warnings === undefined ? '' : { message: 'There are some warnings for your request.', warnings },
});
const suppressed = (type: string, ...emails: readonly string[]) => ({
  type,
  message: 'x',
  recipients: emails.map((email) => ({ email, name: null, reasons: ['hard_bounced'] })),
});
const error = (status: number, message: string, errors?: object, headers: HttpReply['headers'] = {}): HttpReply => ({
  status,
  headers,
  body: { message, ...(errors && { errors }) },
});
const two = { ...MAIL, to: ['Ann@example.org', 'b@example.org'] };

describe('answers', () => {
  test.each<[HttpReply, object]>([
    [taken(), { status: 'queued,queued', id: 'm' }],
    [taken([suppressed('SOME_SUPPRESSED', 'ann@example.org')]), { status: 'rejected,queued', id: 'm' }],
    [
      taken([suppressed('ALL_SUPPRESSED', 'ann@example.org', 'b@example.org')], {}),
      { status: 'rejected,rejected', code: 'rejected', text: expect.stringContaining('hard_bounced') },
    ],
    [taken(undefined, {}), { status: 'unknown,unknown', code: 'uncertain' }],
    [
      error(422, 'The from.email domain must be verified in your account to send emails. #MS42207', {
        'from.email': [],
      }),
      { code: 'account', text: expect.stringContaining('app.mailersend.com/domains') },
    ],
    [
      error(422, 'x', { 'from.email': ['The from.email must be verified. #MS42207'] }),
      { code: 'account', text: expect.stringContaining('from.email: The from.email must be verified.') },
    ],
    [error(422, 'You have reached trial account unique recipients limit. #MS42225'), { code: 'account' }],
    [error(422, 'x', { 'to.0.email': ['must be valid'] }), { code: 'invalid-recipient', status: 'failed,failed' }],
    [error(422, 'x', { subject: ['is required'] }), { code: 'rejected', status: 'rejected,rejected' }],
    [error(401, 'Unauthenticated.'), { code: 'auth' }],
    [error(403, 'This action is unauthorized.'), { code: 'auth' }],
    [error(421, 'maintenance'), { code: 'temporary', retryable: true, status: 'failed,failed' }],
    [error(429, 'Too Many Attempts.', undefined, { 'retry-after': '3' }), { code: 'throttled', retryable: true }],
    [error(429, 'x', undefined, { 'x-apiquota-remaining': '0' }), { code: 'quota', retryable: true }],
    [error(408, 'x'), { code: 'uncertain' }],
    [error(500, 'x'), { code: 'uncertain', status: 'unknown,unknown' }],
    [{ status: 400, body: null }, { code: 'rejected' }],
    [{ status: 400, body: { message: 1, errors: 'x' } }, { code: 'rejected' }],
    [{ status: 400, body: 'nonsense' }, { code: 'rejected' }],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect, two)).toMatchObject(expected);
  });
});

test('a mail without a recipient in to is not asked for', async () => {
  const { results, calls } = await asked(mailersend, connect, { ...MAIL, to: [], bcc: 'c@example.org' });
  expect(results[0]?.error?.message).toContain('mailersend needs a recipient in to');
  expect(calls).toEqual([]);
});

test('verify asks how many requests are left', async () => {
  const body = { quota: 1000, remaining: 752, reset: '2026-12-01T00:00:00Z' };
  expect(await verified({ body }, connect)).toEqual({ asked: '/v1/api-quota', requestsLeft: 752 });
  expect(await verified({ status: 401 }, connect)).toEqual({ asked: '/v1/api-quota', code: 'auth' });
});

test.each<[MailerSendOptions, string]>([
  [{}, 'MAILERSEND_API_KEY'],
  [{ apiKey: 're_123' }, "begins with 'mlsn.'"],
])('options %j are refused', (options, text) => {
  expect(() => new MailerSendBackend(options)).toThrow(text);
});

test('a token of before is one', () => {
  expect(new MailerSendBackend({ apiKey: 'eyJ0eXAi.eyJhdWQi.c2ln' }).name).toBe('mailersend');
});

describeBackend('mailersend', vendorSubject(mailersend, connect), { describe, it });

describeVendorFaults('mailersend', {
  vendor: mailersend,
  connect: (baseUrl, options) => new MailerSendBackend({ apiKey, baseUrl, ...options }),
});
