import { describe, expect, it, test } from 'vitest';
import { BrevoBackend, type BrevoOptions } from '../../src/backends/brevo.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { brevo } from '../servers/vendors/brevo.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, FULL_HEADERS, MAIL, told, verified } from './vendor-trial.ts';

const retry = { attempts: 1, baseMs: 1, maxMs: 1 };
const connect = (baseUrl: string) => new BrevoBackend({ apiKey: 'xkeysib-123', baseUrl, retry });
const UUID = /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/;

test('every field stands where Brevo looks for it', async () => {
  const sendAt = new Date('9999-12-24T18:00:00Z');
  const attachments = [{ filename: 'a.txt', content: 'Grüße' }];
  const sandboxed = (baseUrl: string) => new BrevoBackend({ apiKey: 'xkeysib-123', baseUrl, sandbox: true });
  const { bodies, results } = await asked(brevo, sandboxed, {
    ...FULL,
    attachments,
    sendAt,
    idempotencyKey: 'order-17',
  });
  const { idempotencyKey, ...headers } = bodies[0].headers;
  expect(idempotencyKey).toMatch(UUID);
  expect({ ...bodies[0], headers }).toEqual({
    sender: { email: 'shop@xn--bcher-kva.example', name: expect.stringMatching(/^=\?UTF-8\?/) },
    to: [{ email: 'ann@example.org', name: 'Ann' }, { email: 'bob@example.org' }],
    cc: [{ email: 'cid@example.org' }],
    bcc: [{ email: 'dan@example.org' }],
    replyTo: { email: 'help@example.com', name: 'Help' },
    subject: 'Größe',
    textContent: 'Hello',
    htmlContent: '<img src="cid:logo">',
    headers: { ...FULL_HEADERS, 'X-Mailin-custom': '{"order": "17"}', 'X-Sib-Sandbox': 'drop' },
    tags: ['welcome'],
    attachment: [{ name: 'a.txt', content: 'R3LDvMOfZQ==' }],
    scheduledAt: '9999-12-24T18:00:00.000Z',
  });
  expect(results[0]).toMatchObject({ messageId: 'id-1.0@smtp-relay.mailin.fr', ignored: [] });
});

test('what the provider alone understands is laid over, but for the key', async () => {
  const headers = { 'X-Mailin-Tag': 'a' };
  const { bodies } = await asked(brevo, connect, {
    ...MAIL,
    headers: { 'X-A': 'b' },
    espExtra: { brevo: { headers } },
  });
  expect(bodies[0].headers).toMatchObject({
    'X-A': 'b',
    'X-Mailin-Tag': 'a',
    idempotencyKey: expect.stringMatching(UUID),
  });
  const { results, calls } = await asked(brevo, connect, {
    ...MAIL,
    espExtra: { brevo: { headers: { IdempotencyKey: 'x' } } },
  });
  expect(results[0]?.error).toMatchObject({ issues: [{ path: 'espExtra.brevo.headers.IdempotencyKey' }] });
  expect(calls).toEqual([]);
});

test('one key is one UUID, and two keys are two', async () => {
  const of = async (idempotencyKey: string) =>
    (await asked(brevo, connect, { ...MAIL, idempotencyKey })).bodies[0].headers;
  expect(await of('a')).toEqual(await of('a'));
  expect(await of('a')).not.toEqual(await of('b'));
});

test('a lost answer, and then that the key was used: the mail may have been taken', async () => {
  const replies: HttpReply[] = [{ cut: 'unanswered' }, { status: 400, body: { code: 'duplicate_parameter' } }];
  expect(await told((_, count) => replies[count - 1] ?? {}, connect)).toMatchObject({
    status: 'unknown',
    code: 'closed',
    retryable: false,
  });
});

test('mergeData is a version for each, with an id of its own', async () => {
  const { bodies, results } = await asked(brevo, connect, {
    ...MAIL,
    subject: '',
    body: '',
    to: ['b@example.org', 'c@example.org'],
    cc: 'd@example.org',
    templateId: '12',
    mergeGlobalData: { shop: 'Acme' },
    mergeData: { 'c@example.org': { name: 'Carl' } },
  });
  const cc = [{ email: 'd@example.org' }];
  expect(bodies[0]).toEqual({
    sender: { email: 'a@example.com' },
    templateId: 12,
    messageVersions: [
      { to: [{ email: 'b@example.org' }], cc, params: { shop: 'Acme' } },
      { to: [{ email: 'c@example.org' }], cc, params: { shop: 'Acme', name: 'Carl' } },
    ],
    headers: { idempotencyKey: expect.stringMatching(UUID) },
  });
  expect(results[0]?.recipients.get('c@example.org')?.messageId).toBe('id-1.1@smtp-relay.mailin.fr');
});

test('what Brevo cannot say is refused: images in the text, two addresses for answers', async () => {
  const image = { attachments: [{ filename: 'a.png', content: 'x', contentId: 'a' }] };
  const { results, calls } = await asked(
    brevo,
    connect,
    { ...MAIL, ...image },
    { ...MAIL, replyTo: ['x@example.com', 'y@example.com'] },
  );
  expect(results.map(({ error }) => error?.code)).toEqual(['unsupported-feature', 'unsupported-feature']);
  expect(calls).toEqual([]);
});

describe('answers', () => {
  const error = (status: number, code: string): HttpReply => ({ status, body: { code, message: 'x' } });
  test.each<[HttpReply, object]>([
    [
      { status: 201, body: { messageId: '<i@x>' } },
      { status: 'queued', id: 'i@x' },
    ],
    [
      { status: 201, body: {} },
      { status: 'unknown', code: 'uncertain' },
    ],
    [error(400, 'invalid_parameter'), { code: 'rejected', status: 'rejected' }],
    [error(401, 'unauthorized'), { code: 'auth', text: expect.stringContaining('IP addresses') }],
    [error(402, 'not_enough_credits'), { code: 'quota' }],
    [error(403, 'account_under_validation'), { code: 'account' }],
    [error(404, 'document_not_found'), { code: 'template' }],
    [error(400, 'duplicate_parameter'), { code: 'duplicate', status: 'unknown' }],
    [
      { status: 429, headers: { 'x-sib-ratelimit-reset': '3' }, body: {} },
      { code: 'throttled', retryable: true },
    ],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect)).toMatchObject(expected);
  });
});

test('verify asks for the account', async () => {
  const body = { companyName: 'Acme', plan: [{ type: 'free', credits: 300 }] };
  expect(await verified({ body }, connect)).toEqual({ asked: '/v3/account', account: 'Acme', credits: 300 });
  expect(await verified({ status: 401 }, connect)).toEqual({ asked: '/v3/account', code: 'auth' });
});

test.each<[BrevoOptions, string]>([
  [{}, 'BREVO_API_KEY'],
  [{ apiKey: 'xsmtpsib-1' }, "begins with 'xkeysib-'"],
])('options %j are refused', (options, text) => {
  expect(() => new BrevoBackend(options)).toThrow(text);
});

describeBackend('brevo', vendorSubject(brevo, connect), { describe, it });

describeVendorFaults('brevo', {
  vendor: brevo,
  connect: (baseUrl, options) => new BrevoBackend({ apiKey: 'xkeysib-123', baseUrl, ...options }),
  hasKeys: true,
});
