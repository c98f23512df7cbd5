import { describe, expect, it, test } from 'vitest';
import { SparkPostBackend, type SparkPostOptions } from '../../src/backends/sparkpost.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { sparkpost, sparkpostWith } from '../servers/vendors/sparkpost.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, FULL_HEADERS, MAIL, told, verified } from './vendor-trial.ts';

const apiKey = '0123456789abcdef0123456789abcdef01234567';
const connect = (baseUrl: string) => new SparkPostBackend({ apiKey, baseUrl });

test('every field stands where SparkPost looks for it', async () => {
  const sendAt = new Date('9999-12-24T18:00:00Z');
  const espExtra = { sparkpost: { options: { transactional: true } } };
  const more = { trackOpens: true, trackClicks: true, envelopeSender: 'bounces@example.com' };
  const { bodies, calls, results } = await asked(sparkpost, connect, { ...FULL, ...more, sendAt, espExtra });
  const header_to = 'Ann <ann@example.org>, bob@example.org';
  expect(calls[0]?.path).toBe('/transmissions');
  expect(calls[0]?.headers).not.toHaveProperty('x-msys-subaccount');
  expect(bodies).toEqual([
    {
      recipients: [
        { address: { email: 'ann@example.org', header_to } },
        { address: { email: 'bob@example.org', header_to } },
        { address: { email: 'cid@example.org', header_to } },
        { address: { email: 'dan@example.org', header_to } },
      ],
      content: {
        from: { email: 'shop@xn--bcher-kva.example', name: 'Müller, Jörg' },
        reply_to: 'Help <help@example.com>',
        subject: 'Größe',
        text: 'Hello',
        html: '<img src="cid:logo">',
        headers: { ...FULL_HEADERS, Cc: 'cid@example.org' },
        attachments: [{ name: 'a.txt', type: 'text/plain; charset=utf-8', data: 'R3LDvMOfZQ==' }],
        inline_images: [{ name: 'logo', type: 'image/png', data: 'AQID' }],
      },
      return_path: 'bounces@example.com',
      campaign_id: 'welcome',
      metadata: { order: '17' },
      options: {
        start_time: '9999-12-24T18:00:00+00:00',
        open_tracking: true,
        click_tracking: true,
        perform_substitutions: false,
        transactional: true,
      },
    },
  ]);
  expect(results[0]).toMatchObject({ messageId: 'id-1', ignored: [] });
});

test('mergeData is one request, in which nobody sees another, and cc gets a copy of each', async () => {
  const merge = {
    ...MAIL,
    to: ['b@example.org', 'Carl <c@example.org>'],
    mergeGlobalData: { shop: 'Acme' },
    mergeData: { 'c@example.org': { name: 'Carl' } },
  };
  const to = (header_to: string, email: string, substitution_data: object) => ({
    address: { email, header_to },
    substitution_data,
  });
  const [all, own] = [{ shop: 'Acme' }, { shop: 'Acme', name: 'Carl' }];
  const text = '{{name}}';
  const { bodies } = await asked(sparkpost, connect, { ...merge, body: text, cc: 'd@example.org' });
  expect(bodies).toEqual([
    {
      recipients: [
        to('b@example.org', 'b@example.org', all),
        to('b@example.org', 'd@example.org', all),
        to('Carl <c@example.org>', 'c@example.org', own),
        to('Carl <c@example.org>', 'd@example.org', own),
      ],
      content: { from: { email: 'a@example.com' }, subject: 's', text, headers: { Cc: 'd@example.org' } },
    },
  ]);
  const stored = await asked(sparkpostWith('template'), connect, {
    ...merge,
    subject: '',
    body: '',
    templateId: 'welcome',
    bcc: 'e@example.org',
  });
  expect(stored.bodies).toEqual([
    {
      recipients: [
        to('b@example.org', 'b@example.org', all),
        to('b@example.org', 'e@example.org', all),
        to('Carl <c@example.org>', 'c@example.org', own),
        to('Carl <c@example.org>', 'e@example.org', own),
      ],
      content: { template_id: 'welcome' },
    },
  ]);
});

test('variables of all are those of the transmission', async () => {
  const { bodies } = await asked(sparkpost, connect, { ...MAIL, body: '{{shop}}', mergeGlobalData: { shop: 'Acme' } });
  expect(bodies[0]).toMatchObject({ substitution_data: { shop: 'Acme' }, content: { text: '{{shop}}' } });
});

test('without variables braces are braces, but in a template of SparkPost', async () => {
  const { bodies } = await asked(sparkpost, connect, { ...MAIL, body: '{{name}}', mergeData: {} });
  expect(bodies[0]).toMatchObject({ options: { perform_substitutions: false }, content: { text: '{{name}}' } });
  const stored = { ...MAIL, subject: '', body: '', templateId: 't' };
  expect((await asked(sparkpostWith('template'), connect, stored)).bodies[0]).not.toHaveProperty('options');
});

test('what SparkPost would leave out without a word is refused', async () => {
  const stored = { ...MAIL, subject: '', body: '', templateId: 't' };
  const attachments = [{ filename: 'a.txt', content: 'x' }];
  const { results, calls } = await asked(
    sparkpost,
    connect,
    { ...stored, attachments, replyTo: 'x@example.com', cc: 'c@example.org', headers: { 'X-A': 'b' } },
    { ...MAIL, listUnsubscribe: { url: 'https://example.com/u' } },
    { ...MAIL, headers: { 'list-unsubscribe': '<https://example.com/u>' } },
    { ...MAIL, envelopeSender: '' },
  );
  const paths = results.map(({ error }) =>
    (error as { issues?: { path: string }[] } | null)?.issues?.map(({ path }) => path),
  );
  expect(paths).toEqual([
    ['attachments', 'replyTo', 'cc', 'headers'],
    ['listUnsubscribe'],
    ['headers'],
    ['envelopeSender'],
  ]);
  expect(results.map(({ error }) => error?.code)).toEqual(Array(4).fill('unsupported-feature'));
  expect(calls).toEqual([]);
});

test('transactional mails have the header for unsubscribing that the message has', async () => {
  const listUnsubscribe = { url: 'https://example.com/u' };
  const marked = (baseUrl: string) => new SparkPostBackend({ apiKey, baseUrl, transactional: true });
  const { bodies, results } = await asked(sparkpost, marked, { ...MAIL, listUnsubscribe });
  expect(bodies[0]).toMatchObject({
    options: { transactional: true },
    content: { headers: { 'List-Unsubscribe': '<https://example.com/u>' } },
  });
  expect(results[0]?.error).toBeNull();
  const espExtra = { sparkpost: { options: { transactional: true } } };
  const one = await asked(sparkpost, connect, { ...MAIL, listUnsubscribe, espExtra });
  expect(one.results[0]?.error).toBeNull();
});

test('of two tags none is sent, nor is priority with a template, and that is told', async () => {
  const { bodies, results } = await asked(sparkpost, connect, { ...MAIL, tags: ['a', 'b'] });
  expect(bodies[0]).not.toHaveProperty('campaign_id');
  expect(results[0]).toMatchObject({ ignored: ['tags'], ignoredReasons: { tags: 'SparkPost takes one tag' } });
  const urgent = { ...MAIL, subject: '', body: '', templateId: 't', priority: 'high' } as const;
  const stored = await asked(sparkpostWith('template'), connect, urgent);
  expect(stored.results[0]).toMatchObject({ ignored: ['priority'], error: null });
});

test('a subaccount is told in a header', async () => {
  const ofSubaccount = (baseUrl: string) => new SparkPostBackend({ apiKey, baseUrl, subaccount: 1234 });
  const { calls } = await asked(sparkpost, ofSubaccount, MAIL);
  expect(calls[0]?.headers).toMatchObject({ authorization: apiKey, 'x-msys-subaccount': '1234' });
});

test.each<[SparkPostOptions, string]>([
  [{}, 'https://api.sparkpost.com/api/v1/transmissions'],
  [{ region: 'eu' }, 'https://api.eu.sparkpost.com/api/v1/transmissions'],
])('%j sends to %s', async (options, expected) => {
  const asks: string[] = [];
  const fetch = async (url: string | URL | Request) => {
    asks.push(String(url));
    return Response.json({}, { status: 400 });
  };
  await new SparkPostBackend({ ...options, apiKey, fetch }).sendMessages([MAIL], { failSilently: true });
  expect(asks).toEqual([expected]);
});

const counted = (accepted: number, rejected: number): HttpReply => ({
  body: {
    results: { id: '11668787484950529', total_accepted_recipients: accepted, total_rejected_recipients: rejected },
  },
});
const error = (status: number, code?: string): HttpReply => ({
  status,
  body: { errors: [{ message: 'm', description: 'd', ...(code && { code }) }] },
});
const two = { ...MAIL, cc: 'c@example.org' };

describe('answers', () => {
  test.each<[HttpReply, object]>([
    [counted(2, 0), { status: 'queued,queued', id: '11668787484950529' }],
    [counted(0, 2), { status: 'rejected,rejected', code: 'rejected' }],
    [counted(1, 1), { status: 'unknown,unknown', code: 'uncertain' }],
    [counted(1, 0), { status: 'unknown,unknown', code: 'uncertain' }],
    [{ body: {} }, { status: 'unknown,unknown', code: 'uncertain' }],
    [{ body: '' }, { code: 'uncertain' }],
    [error(400), { code: 'rejected', status: 'rejected,rejected', text: expect.stringContaining('m, d') }],
    [error(400, '7001'), { code: 'account', text: expect.stringContaining('verify the domain of fromEmail') }],
    [error(400, '5002'), { code: 'invalid-recipient' }],
    [error(400, '1502'), { code: 'temporary', retryable: true }],
    [error(400, '1902'), { code: 'rejected' }],
    [error(404, '1600'), { code: 'template' }],
    [error(422, '1603'), { code: 'template', text: expect.stringContaining('templateId is the id') }],
    [error(422, '2005'), { code: 'template', text: expect.stringContaining('publish it') }],
    [error(401), { code: 'auth' }],
    [error(401, '1303'), { code: 'auth' }],
    [error(403, '1100'), { code: 'auth' }],
    [error(413), { code: 'too-large' }],
    [error(420, '2101'), { code: 'throttled', retryable: true, status: 'failed,failed' }],
    [error(420, '2102'), { code: 'quota', retryable: true }],
    [error(420, '2103'), { code: 'account', retryable: false }],
    [error(429), { code: 'throttled', retryable: true }],
    [error(503, '1900'), { code: 'uncertain', status: 'unknown,unknown' }],
    [{ status: 400, body: null }, { code: 'rejected' }],
    [{ status: 400, body: { errors: 'x' } }, { code: 'rejected' }],
    [{ status: 400, body: { errors: [null] } }, { code: 'rejected' }],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect, two)).toMatchObject(expected);
  });
});

test('verify asks for the account', async () => {
  const body = { results: { customer_id: 102938, company_name: 'Example Inc', status: 'active' } };
  expect(await verified({ body }, connect)).toEqual({ asked: '/account', account: 'Example Inc', status: 'active' });
  expect(await verified({ status: 401 }, connect)).toEqual({ asked: '/account', code: 'auth' });
});

test.each<[SparkPostOptions, string]>([
  [{}, 'SPARKPOST_API_KEY'],
  [{ apiKey: 're_123' }, '40 hexadecimal digits'],
  [{ apiKey, subaccount: 'a\r\nb' } as unknown as SparkPostOptions, 'subaccount'],
  [{ apiKey, region: 'asia' } as unknown as SparkPostOptions, "one of 'us', 'eu'"],
])('options %j are refused', (options, text) => {
  expect(() => new SparkPostBackend(options)).toThrow(text);
});

describeBackend('sparkpost', vendorSubject(sparkpost, connect), { describe, it });

describeVendorFaults('sparkpost', {
  vendor: sparkpost,
  connect: (baseUrl, options) => new SparkPostBackend({ apiKey, baseUrl, ...options }),
});
