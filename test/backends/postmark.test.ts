import { describe, expect, it, test } from 'vitest';
import { PostmarkBackend, type PostmarkOptions } from '../../src/backends/postmark.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { postmark } from '../servers/vendors/postmark.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, FULL_HEADERS, MAIL, told, verified } from './vendor-trial.ts';

const serverToken = '11111111-2222-3333-4444-555555555555';
const connect = (baseUrl: string) => new PostmarkBackend({ serverToken, baseUrl });
const headers = Object.entries(FULL_HEADERS).map(([Name, Value]) => ({ Name, Value }));

test('every field stands where Postmark looks for it', async () => {
  const streaming = (baseUrl: string) => new PostmarkBackend({ serverToken, baseUrl, messageStream: 'news' });
  const message = { ...FULL, trackOpens: true, trackClicks: true, messageId: 'm@example.com' };
  const { bodies, calls, results } = await asked(postmark, streaming, message);
  expect(bodies).toEqual([
    {
      From: '"Müller, Jörg" <shop@xn--bcher-kva.example>',
      To: 'Ann <ann@example.org>, bob@example.org',
      Cc: 'cid@example.org',
      Bcc: 'dan@example.org',
      ReplyTo: 'Help <help@example.com>',
      Subject: 'Größe',
      TextBody: 'Hello',
      HtmlBody: '<img src="cid:logo">',
      Headers: [...headers, { Name: 'Message-ID', Value: '<m@example.com>' }, { Name: 'X-PM-KeepID', Value: 'true' }],
      Tag: 'welcome',
      Metadata: { order: '17' },
      TrackOpens: true,
      TrackLinks: 'HtmlAndText',
      MessageStream: 'news',
      Attachments: [
        { Name: 'a.txt', Content: 'R3LDvMOfZQ==', ContentType: 'text/plain; charset=utf-8' },
        { Name: 'logo.png', Content: 'AQID', ContentType: 'image/png', ContentID: 'cid:logo' },
      ],
    },
  ]);
  expect(calls[0]?.path).toBe('/email');
  expect(results[0]).toMatchObject({ messageId: 'id-1', ignored: [] });
  expect(results[0]?.recipients.get('bob@example.org')?.status).toBe('sent');
});

test.each([
  ['welcome', { TemplateAlias: 'welcome' }],
  ['1234', { TemplateId: 1234 }],
])('the template %s', async (templateId, expected) => {
  const { bodies, calls } = await asked(postmark, connect, { ...MAIL, subject: '', body: '', templateId });
  expect(bodies[0]).toEqual({ From: 'a@example.com', To: 'b@example.org', TemplateModel: {}, ...expected });
  expect(calls[0]?.path).toBe('/email/withTemplate');
});

test('mergeData and lists go as batches, those with templates apart', async () => {
  const to = ['b@example.org', 'c@example.org'];
  const merge = {
    ...MAIL,
    subject: '',
    body: '',
    to,
    templateId: 't',
    mergeGlobalData: { a: 1 },
    mergeData: { 'c@example.org': { b: 2 } },
  };
  const { calls, bodies, results } = await asked(postmark, connect, merge, MAIL, { ...MAIL, cc: 'd@example.org' });
  expect(calls.map(({ path }) => path).toSorted()).toEqual(['/email/batch', '/email/batchWithTemplates']);
  const { Messages } = bodies.find((body) => 'Messages' in body);
  expect(Messages.map(({ To, TemplateModel }: { To: string; TemplateModel: object }) => [To, TemplateModel])).toEqual([
    ['b@example.org', { a: 1 }],
    ['c@example.org', { a: 1, b: 2 }],
  ]);
  expect(results.map(({ error }) => error)).toEqual([null, null, null]);
});

test.each(['subject', 'body', 'htmlBody'])('a template has its %s already', async (field) => {
  const stored = { ...MAIL, subject: '', body: '', templateId: 't', [field]: 'x' };
  const { results, calls } = await asked(postmark, connect, stored);
  expect(results[0]?.error).toMatchObject({ code: 'unsupported-feature', issues: [{ path: field }] });
  expect(calls).toEqual([]);
});

test('nobody need be in to', async () => {
  const { bodies, results } = await asked(postmark, connect, { ...MAIL, to: [], bcc: 'b@example.org' });
  expect(bodies[0]).toMatchObject({ Bcc: 'b@example.org' });
  expect(results[0]?.error).toBeNull();
});

test('of two tags none is sent, and that is told', async () => {
  const { bodies, results } = await asked(postmark, connect, { ...MAIL, tags: ['a', 'b'] });
  expect(bodies[0]).not.toHaveProperty('Tag');
  expect(results[0]).toMatchObject({ ignored: ['tags'], ignoredReasons: { tags: 'Postmark takes one tag' } });
});

const error = (ErrorCode: number, Message = 'x', status = 422): HttpReply => ({ status, body: { ErrorCode, Message } });
const inactive = (names: string) =>
  `You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: ${names}. Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a manual suppression.`;
const partial = (names: string) => `Message OK, but will not deliver to these inactive addresses: ${names}.`;
const two = { ...MAIL, to: ['Ann@example.org', 'b@example.org'] };
const ok = (Message: string, more = { ErrorCode: 0 } as object): HttpReply => ({
  body: { Message, MessageID: 'm', ...more },
});

describe('answers', () => {
  test.each<[HttpReply, object]>([
    [ok('OK'), { status: 'sent,sent', id: 'm' }],
    [ok(partial('ann@example.org')), { status: 'rejected,sent' }],
    [ok('Accepted, but delivery may be delayed.', {}), { status: 'queued,queued' }],
    [error(10, 'no token', 401), { code: 'auth', text: expect.stringContaining('not that of the account') }],
    [error(300, "Invalid 'To' address: 'x'."), { code: 'invalid-recipient', status: 'failed,failed' }],
    [error(300, 'Zero recipients specified'), { code: 'rejected' }],
    [error(400), { code: 'account' }],
    [error(406, inactive('ann@example.org, b@example.org')), { code: 'rejected', status: 'rejected,rejected' }],
    [error(406, inactive('ann@example.org')), { code: 'rejected', status: 'rejected,failed' }],
    [error(412), { code: 'account' }],
    [error(1101), { code: 'template' }],
    [error(100, 'maintenance', 503), { code: 'temporary', retryable: true }],
    [
      { status: 429, body: '' },
      { code: 'throttled', retryable: true },
    ],
    [
      { status: 500, body: '' },
      { code: 'uncertain', status: 'unknown,unknown' },
    ],
    [error(0, 'x', 500), { code: 'uncertain', status: 'unknown,unknown' }],
    [error(300, 'x', 502), { code: 'uncertain', status: 'unknown,unknown' }],
    [{ body: '' }, { code: 'uncertain' }],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect, two)).toMatchObject(expected);
  });
});

test('what is said of one mail of a batch is told of no other', async () => {
  const mails = ['b@example.org', 'c@example.org'].map((to) => ({ ...MAIL, to }));
  const { results, calls } = await asked(postmark, connect, ...mails);
  expect(calls.map(({ path }) => path)).toEqual(['/email/batch']);
  for (const [index, { espResponse }] of results.entries()) {
    const said = JSON.stringify(espResponse);
    expect(said).toContain(results[index]?.messageId);
    expect(said).not.toContain(results[1 - index]?.messageId);
  }
});

describe('verify', () => {
  test.each<[HttpReply, object]>([
    [{ body: { Name: 'Shop', DeliveryType: 'Live' } }, { server: 'Shop', deliveryType: 'Live' }],
    [error(10, 'x', 401), { code: 'auth' }],
  ])('%j', async (reply, expected) => {
    expect(await verified(reply, connect)).toEqual({ asked: '/server', ...expected });
  });
});

test.each<[PostmarkOptions, string]>([
  [{}, 'POSTMARK_SERVER_TOKEN'],
  [{ serverToken: 're_123' }, 'a UUID'],
])('options %j are refused', (options, text) => {
  expect(() => new PostmarkBackend(options)).toThrow(text);
});

test('the token that sends nothing is one', () => {
  expect(new PostmarkBackend({ serverToken: 'POSTMARK_API_TEST' }).name).toBe('postmark');
});

describeBackend('postmark', vendorSubject(postmark, connect), { describe, it });

describeVendorFaults('postmark', {
  vendor: postmark,
  connect: (baseUrl, options) => new PostmarkBackend({ serverToken, baseUrl, ...options }),
  hasBatches: true,
});
