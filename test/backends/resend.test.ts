import { describe, expect, it, test } from 'vitest';
import { parseBatch } from '../../src/backends/resend/provider.ts';
import { ResendBackend, type ResendOptions } from '../../src/backends/resend.ts';
import { EmailMessage } from '../../src/model/message.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { resend } from '../servers/vendors/resend.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, FULL_HEADERS, MAIL, told, verified } from './vendor-trial.ts';

const retry = { attempts: 1, baseMs: 1, maxMs: 1 };
const connect = (baseUrl: string) => new ResendBackend({ apiKey: 're_123', baseUrl, retry });

test('every field stands where Resend looks for it', async () => {
  const sendAt = new Date('9999-12-24T18:00:00Z');
  const message = { ...FULL, sendAt, idempotencyKey: 'order-17', espExtra: { resend: { topic_id: 'news' } } };
  const { bodies, calls, results } = await asked(resend, connect, message);
  expect(bodies).toEqual([
    {
      from: '"Müller, Jörg" <shop@xn--bcher-kva.example>',
      to: ['Ann <ann@example.org>', 'bob@example.org'],
      cc: ['cid@example.org'],
      bcc: ['dan@example.org'],
      reply_to: ['Help <help@example.com>'],
      subject: 'Größe',
      text: 'Hello',
      html: '<img src="cid:logo">',
      headers: FULL_HEADERS,
      tags: [
        { name: 'tag', value: 'welcome' },
        { name: 'order', value: '17' },
      ],
      attachments: [
        { filename: 'a.txt', content: 'R3LDvMOfZQ==', content_type: 'text/plain; charset=utf-8' },
        { filename: 'logo.png', content: 'AQID', content_type: 'image/png', content_id: 'logo' },
      ],
      scheduled_at: '9999-12-24T18:00:00.000Z',
      topic_id: 'news',
    },
  ]);
  expect(calls[0]).toMatchObject({ path: '/emails', headers: { 'idempotency-key': 'order-17' } });
  expect(results[0]).toMatchObject({ messageId: 'id-1', ignored: [], error: null });
});

test('a template has its variables, and no empty subject or body', async () => {
  const message = { ...MAIL, subject: '', body: '', templateId: 'welcome', mergeGlobalData: { name: 'Ann' } };
  const { bodies } = await asked(resend, connect, message);
  expect(bodies[0]).toEqual({
    from: 'a@example.com',
    to: ['b@example.org'],
    template: { id: 'welcome', variables: { name: 'Ann' } },
  });
});

test('mergeData and lists go as batches, but for attachments, schedules and keys', async () => {
  const to = ['b@example.org', 'c@example.org'];
  const merge = { ...MAIL, body: '', to, templateId: 't', mergeData: { 'c@example.org': { name: 'Carl' } } };
  const attached = { ...MAIL, attachments: [{ filename: 'a.txt', content: 'a' }] };
  const { calls, bodies } = await asked(resend, connect, merge, MAIL, attached, { ...MAIL, idempotencyKey: 'k' });
  expect(calls.map(({ path }) => path).toSorted()).toEqual(['/emails', '/emails', '/emails/batch']);
  const batch = bodies.find(Array.isArray);
  const variables = (batch as { to: string[]; template?: object }[]).map(
    ({ to: [one], template }) => `${one} ${JSON.stringify(template)}`,
  );
  expect(variables.toSorted()).toEqual([
    'b@example.org undefined',
    'b@example.org {"id":"t","variables":{}}',
    'c@example.org {"id":"t","variables":{"name":"Carl"}}',
  ]);
  expect(calls.find(({ path }) => path === '/emails/batch')?.headers['x-batch-validation']).toBe('permissive');
});

test('what a batch does not take keeps a mail out of it, in the words of Resend too', async () => {
  const later = { ...MAIL, espExtra: { resend: { scheduled_at: 'in 1 hour' } } };
  const attached = { ...MAIL, espExtra: { resend: { attachments: [{ filename: 'a.txt', content: 'YQ==' }] } } };
  const { calls } = await asked(resend, connect, later, later, attached, MAIL);
  expect(calls.map(({ path }) => path)).toEqual(['/emails', '/emails', '/emails', '/emails']);
});

test('one bad mail of a batch is told, and no other', async () => {
  const { results } = await asked(resend, connect, MAIL, { ...MAIL, to: [], bcc: 'c@example.org' }, MAIL);
  expect(results.map(({ error }) => error?.code ?? null)).toEqual([null, 'invalid-message', null]);
  expect(results[1]?.error?.message).toContain('resend needs a recipient in to');
  const body = { data: [{ id: '1' }, { id: '2' }], errors: [{ index: 1, message: 'bad' }] };
  const answer = { status: 200, headers: {}, body, text: '' };
  const mail = new EmailMessage(MAIL);
  expect(parseBatch(answer, [mail, mail, mail])).toEqual([
    { messageId: '1', part: { id: '1' } },
    { code: 'rejected', text: 'bad', part: { index: 1, message: 'bad' } },
    { messageId: '2', part: { id: '2' } },
  ]);
});

test('what is said of one mail of a batch is told of no other', async () => {
  const { results } = await asked(resend, connect, MAIL, MAIL);
  expect(results.map(({ espResponse }) => espResponse)).toEqual([{ id: 'id-1' }, { id: 'id-2' }]);
});

test('tags and metadata that do not fit are left out, and that is told', async () => {
  const { bodies, results } = await asked(resend, connect, { ...MAIL, tags: ['für Sie'], metadata: { order: '17' } });
  expect(bodies[0].tags).toEqual([{ name: 'order', value: '17' }]);
  expect(results[0]).toMatchObject({ ignored: ['tags'], ignoredReasons: { tags: expect.stringContaining('letters') } });
});

test('a type may be written in any letters', async () => {
  const attachments = [{ filename: 'a.PDF', content: 'a', mimetype: 'Application/PDF' }];
  const { results } = await asked(resend, connect, { ...MAIL, attachments });
  expect(results[0]?.error).toBeNull();
});

test('a file whose name says another type is refused: Resend would drop the mail', async () => {
  const attachments = [
    { filename: 'a.csv', content: 'a', mimetype: 'application/octet-stream' },
    { filename: 'data', content: 'a', mimetype: 'text/csv' },
  ];
  const { results, calls } = await asked(resend, connect, { ...MAIL, attachments });
  expect(results[0]?.error).toMatchObject({ issues: [{ path: 'attachments[0].mimetype', code: 'unsupported' }] });
  expect(calls).toEqual([]);
});

const errors: [HttpReply, object][] = [
  [
    { status: 401, body: { name: 'missing_api_key', message: 'x' } },
    { code: 'auth', status: 'failed' },
  ],
  [{ status: 403, body: { name: 'invalid_api_key', message: 'x' } }, { code: 'auth' }],
  [
    { status: 403, body: { name: 'validation_error', message: 'not verified' } },
    { code: 'account', text: expect.stringContaining('resend.com/domains') },
  ],
  [
    { status: 422, body: { name: 'validation_error', message: 'x' } },
    { code: 'rejected', status: 'rejected' },
  ],
  [
    { status: 429, body: { name: 'rate_limit_exceeded', message: 'x' } },
    { code: 'throttled', retryable: true },
  ],
  [{ status: 429, body: { name: 'daily_quota_exceeded', message: 'x' } }, { code: 'quota' }],
  [
    { status: 409, body: { name: 'invalid_idempotent_request', message: 'x' } },
    { code: 'uncertain', status: 'unknown' },
  ],
  [
    { status: 500, body: { name: 'internal_server_error', message: 'x' } },
    { code: 'uncertain', status: 'unknown' },
  ],
];
test.each(errors)('%j', async (reply, expected) => {
  expect(await told(reply, connect)).toMatchObject(expected);
});

const asDomain = (text: string) => ({ name: text.split(' ')[0], status: text.split(' ')[1] });

describe('verify', () => {
  test.each<[HttpReply, object]>([
    [
      { body: { data: ['a.com verified', 'b.com pending', 'c.com verified'].map(asDomain) } },
      { verifiedDomains: 2, domains: 'a.com c.com' },
    ],
    [{ status: 401, body: { name: 'restricted_api_key' } }, { canOnlySend: true }],
    [{ status: 403, body: { name: 'invalid_api_key' } }, { code: 'auth' }],
  ])('%j', async (reply, expected) => {
    expect(await verified(reply, connect)).toEqual({ asked: '/domains', ...expected });
  });
});

test.each<[ResendOptions, string]>([
  [{}, 'RESEND_API_KEY'],
  [{ apiKey: '11111111-2222-3333-4444-555555555555' }, "begins with 're_'"],
  [{ apiKey: 're_1', region: 'eu' } as ResendOptions, "unknown option 'region'"],
])('options %j are refused', (options, text) => {
  expect(() => new ResendBackend(options)).toThrow(text);
});

describeBackend('resend', vendorSubject(resend, connect), { describe, it });

describeVendorFaults('resend', {
  vendor: resend,
  connect: (baseUrl, options) => new ResendBackend({ apiKey: 're_123', baseUrl, ...options }),
  hasKeys: true,
  hasBatches: true,
});
