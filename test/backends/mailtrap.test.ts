import { describe, expect, it, test } from 'vitest';
import { MailtrapBackend, type MailtrapOptions } from '../../src/backends/mailtrap.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { mailtrap, mailtrapWith } from '../servers/vendors/mailtrap.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, FULL_HEADERS, MAIL, told, verified } from './vendor-trial.ts';

const apiKey = '0123456789abcdef0123456789abcdef';
const connect = (baseUrl: string) => new MailtrapBackend({ apiKey, baseUrl });
const UUID = 'b81aabcd-1a1e-41cf-91b6-eca0254b3d96';

test('every field stands where Mailtrap looks for it', async () => {
  const { bodies, calls, results } = await asked(mailtrap, connect, FULL);
  expect(calls[0]?.path).toBe('/api/send');
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
      headers: FULL_HEADERS,
      attachments: [
        { content: 'R3LDvMOfZQ==', filename: 'a.txt', type: 'text/plain', disposition: 'attachment' },
        { content: 'AQID', filename: 'logo.png', type: 'image/png', disposition: 'inline', content_id: 'logo' },
      ],
      category: 'welcome',
      custom_variables: { order: '17' },
    },
  ]);
  expect(results[0]).toMatchObject({ messageId: 'id-1.0', ignored: [] });
  const ids = [...(results[0]?.recipients.values() ?? [])].map(({ messageId }) => messageId);
  expect(ids).toEqual(['id-1.0', 'id-1.1', 'id-1.2', 'id-1.3']);
});

test('mergeData and lists go as batches, each with its own status', async () => {
  const to = ['b@example.org', 'c@example.org'];
  const merge = {
    ...MAIL,
    subject: '',
    body: '',
    to,
    templateId: UUID,
    mergeGlobalData: { shop: 'Acme' },
    mergeData: { 'c@example.org': { name: 'Carl' } },
  };
  const { bodies, calls } = await asked(mailtrapWith('template'), connect, merge);
  expect(calls.map(({ path }) => path)).toEqual(['/api/batch']);
  const common = { from: { email: 'a@example.com' }, template_uuid: UUID };
  expect(bodies[0]).toEqual({
    requests: [
      { ...common, to: [{ email: 'b@example.org' }], template_variables: { shop: 'Acme' } },
      { ...common, to: [{ email: 'c@example.org' }], template_variables: { shop: 'Acme', name: 'Carl' } },
    ],
  });
  const { results } = await asked(mailtrap, connect, MAIL, { ...MAIL, to: 'c@example.org' });
  expect(results.map(({ messageId, espResponse }) => [messageId, espResponse])).toEqual([
    ['id-1.0', { success: true, message_ids: ['id-1.0'] }],
    ['id-2.0', { success: true, message_ids: ['id-2.0'] }],
  ]);
});

test.each(['subject', 'body', 'htmlBody'])('a template has its %s already', async (field) => {
  const stored = { ...MAIL, subject: '', body: '', templateId: UUID, [field]: 'x' };
  const { results, calls } = await asked(mailtrap, connect, stored);
  expect(results[0]?.error).toMatchObject({ code: 'unsupported-feature', issues: [{ path: field }] });
  expect(calls).toEqual([]);
});

test('of two tags none is sent, nor is one with a template, and that is told', async () => {
  const { bodies, results } = await asked(mailtrap, connect, { ...MAIL, tags: ['a', 'b'] });
  expect(bodies[0]).not.toHaveProperty('category');
  expect(results[0]).toMatchObject({ ignored: ['tags'], ignoredReasons: { tags: 'Mailtrap takes one tag' } });
  const stored = await asked(mailtrapWith('template'), connect, {
    ...MAIL,
    subject: '',
    body: '',
    templateId: UUID,
    tags: ['a'],
  });
  expect(stored.results[0]).toMatchObject({ ignored: ['tags'], error: null });
});

test('two addresses for answers are a header', async () => {
  const replyTo = ['Jörg <x@example.com>', 'y@example.com'];
  const { bodies } = await asked(mailtrap, connect, { ...MAIL, replyTo });
  expect(bodies[0].headers).toEqual({ 'Reply-To': '=?UTF-8?B?SsO2cmc=?= <x@example.com>, y@example.com' });
  expect(bodies[0]).not.toHaveProperty('reply_to');
});

test('the sandbox stands in the path, and has one id for all', async () => {
  const sandboxed = (baseUrl: string) => new MailtrapBackend({ apiKey, baseUrl, sandboxId: 12345, stream: 'bulk' });
  const { calls } = await asked(mailtrap, sandboxed, MAIL);
  const batch = await asked(mailtrap, sandboxed, MAIL, MAIL);
  expect([...calls, ...batch.calls].map(({ path }) => path)).toEqual(['/api/send/12345', '/api/batch/12345']);
  const body = { success: true, message_ids: ['1'] };
  expect(await told({ body }, sandboxed, { ...MAIL, cc: 'c@example.org' })).toEqual({
    status: 'queued,queued',
    id: '1',
  });
});

test.each<[MailtrapOptions, string]>([
  [{}, 'https://send.api.mailtrap.io/api/send'],
  [{ stream: 'bulk' }, 'https://bulk.api.mailtrap.io/api/send'],
  [{ sandboxId: 7, stream: 'bulk' }, 'https://sandbox.api.mailtrap.io/api/send/7'],
])('%j sends to %s', async (options, expected) => {
  const asks: string[] = [];
  const fetch = async (url: string | URL | Request) => {
    asks.push(String(url));
    return Response.json([{ id: 1, name: 'Acme' }], { status: String(url).endsWith('accounts') ? 200 : 400 });
  };
  const backend = new MailtrapBackend({ ...options, apiKey, fetch });
  await backend.sendMessages([MAIL], { failSilently: true });
  expect(await backend.verify()).toMatchObject({ details: { account: 'Acme' } });
  expect(asks).toEqual([expected, 'https://mailtrap.io/api/accounts']);
});

const error = (status: number, ...errors: readonly string[]): HttpReply => ({
  status,
  body: { success: false, errors },
});
const two = { ...MAIL, cc: 'c@example.org' };

describe('answers', () => {
  test.each<[HttpReply, object]>([
    [{ body: { success: true, message_ids: ['1', '2'] } }, { status: 'queued,queued', id: '1' }],
    [{ body: { success: true } }, { status: 'queued,queued', id: null }],
    [{ body: {} }, { status: 'unknown,unknown', code: 'uncertain' }],
    [{ body: '' }, { code: 'uncertain' }],
    [error(200, 'x', 'y'), { code: 'rejected', status: 'rejected,rejected', text: expect.stringContaining('x; y') }],
    [error(400, "'from' is required"), { code: 'rejected', text: expect.stringContaining("'from' is required") }],
    [error(401, 'Unauthorized'), { code: 'auth' }],
    [error(403, 'Forbidden'), { code: 'auth', text: expect.stringContaining('verify the domain of fromEmail') }],
    [error(429, 'Rate limit exceeded'), { code: 'throttled', retryable: true }],
    [error(500, 'Internal server error'), { code: 'uncertain', status: 'unknown,unknown' }],
    [{ status: 400, body: null }, { code: 'rejected' }],
    [{ status: 400, body: { errors: { to: ['x'] } } }, { code: 'rejected' }],
    [{ status: 400, body: { errors: 'x' } }, { code: 'rejected' }],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect, two)).toMatchObject(expected);
  });
});

test.each<[unknown, readonly (string | undefined)[]]>([
  [
    {
      success: true,
      responses: [
        { success: false, errors: ['x'] },
        { success: true, message_ids: ['2'] },
      ],
    },
    ['rejected', undefined],
  ],
  [{ success: false, errors: ['x'] }, ['rejected', 'rejected']],
  [{ success: true, responses: [{ success: true }] }, [undefined, 'uncertain']],
  [{ success: true }, ['uncertain', 'uncertain']],
])('a batch that is answered with %j', async (body, codes) => {
  const { endpoints } = mailtrap;
  const batch = { ...(endpoints['/api/batch'] as (typeof endpoints)[string]), answer: () => ({ body }) };
  const { results } = await asked({ ...mailtrap, endpoints: { '/api/batch': batch } }, connect, MAIL, MAIL);
  expect(results.map((result) => result.error?.code)).toEqual(codes);
});

test('verify asks for the accounts', async () => {
  expect(await verified({ body: [{ id: 1, name: 'Acme' }] }, connect)).toEqual({
    asked: '/api/accounts',
    account: 'Acme',
  });
  const refusal = { status: 401, body: { error: 'Incorrect API token' } };
  expect(await verified(refusal, connect)).toEqual({ asked: '/api/accounts', code: 'auth' });
});

test.each<[MailtrapOptions, string]>([
  [{}, 'MAILTRAP_API_KEY'],
  [{ apiKey: 're_123' }, 'an API token of Mailtrap'],
  [{ apiKey, sandboxId: '12/../3' } as unknown as MailtrapOptions, 'sandboxId'],
  [{ apiKey, stream: 'fast' } as unknown as MailtrapOptions, "one of 'transactional', 'bulk'"],
])('options %j are refused', (options, text) => {
  expect(() => new MailtrapBackend(options)).toThrow(text);
});

describeBackend('mailtrap', vendorSubject(mailtrap, connect), { describe, it });

describeVendorFaults('mailtrap', {
  vendor: mailtrap,
  connect: (baseUrl, options) => new MailtrapBackend({ apiKey, baseUrl, ...options }),
  hasBatches: true,
});
