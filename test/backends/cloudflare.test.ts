import { simpleParser } from 'mailparser';
import { describe, expect, it, test } from 'vitest';
import { CloudflareBackend, type CloudflareOptions } from '../../src/backends/cloudflare.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { cloudflare } from '../servers/vendors/cloudflare.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, MAIL, told, verified } from './vendor-trial.ts';

const own = { apiToken: '0123456789abcdefghij0123', accountId: '0123456789abcdef0123456789abcdef' };
const connect = (baseUrl: string) => new CloudflareBackend({ ...own, baseUrl });

test('a mail goes as it would to any server, with whom it is for beside it', async () => {
  const { bodies, calls, results } = await asked(cloudflare, connect, FULL);
  const { mime_message: source, ...envelope } = bodies[0];
  expect(envelope).toEqual({
    from: 'shop@xn--bcher-kva.example',
    recipients: ['ann@example.org', 'bob@example.org', 'cid@example.org', 'dan@example.org'],
  });
  const mail = await simpleParser(source);
  expect(mail).toMatchObject({ subject: 'Größe', text: expect.stringContaining('Hello') });
  expect(mail.attachments.map(({ filename }) => filename).toSorted()).toEqual(['a.txt', 'logo.png']);
  expect(source).not.toContain('dan@example.org');
  expect(calls[0]?.path).toBe(`/accounts/${own.accountId}/email/sending/send_raw`);
  expect(results[0]).toMatchObject({ messageId: 'id-1', ignored: ['tags', 'metadata'] });
});

describe('answers', () => {
  const result = (lists: object): HttpReply => ({ body: { success: true, errors: [], result: lists } });
  const no = (code: number): object => ({ success: false, errors: [{ code, message: 'x' }], result: null });
  const two = { ...MAIL, cc: 'c@example.org' };
  test.each<[HttpReply, object]>([
    [
      result({ delivered: ['b@example.org'], queued: ['c@example.org'], permanent_bounces: [] }),
      { status: 'sent,queued' },
    ],
    [
      result({ delivered: ['B@example.org'], queued: [], permanent_bounces: ['c@example.org'] }),
      { status: 'sent,invalid' },
    ],
    [result({ delivered: ['b@example.org'] }), { status: 'sent,unknown' }],
    [{ body: no(10_001) }, { status: 'rejected,rejected', code: 'rejected' }],
    [{ body: {} }, { status: 'unknown,unknown', code: 'uncertain' }],
    [{ status: 400, body: no(10_000) }, { code: 'auth' }],
    [
      { status: 400, body: no(10_202) },
      { code: 'rejected', text: 'cloudflare refused the mail: 400 10202: x' },
    ],
    [
      { status: 429, headers: { 'retry-after': '7' }, body: no(971) },
      { code: 'throttled', retryable: true },
    ],
    [
      { status: 500, body: no(1) },
      { code: 'uncertain', status: 'unknown,unknown' },
    ],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect, two)).toMatchObject(expected);
  });
});

test('verify asks for the token', async () => {
  const body = { success: true, result: { id: 'x', status: 'active' } };
  expect(await verified({ body }, connect)).toEqual({ asked: '/user/tokens/verify', token: 'active' });
  expect(await verified({ status: 401, body: {} }, connect)).toEqual({ asked: '/user/tokens/verify', code: 'auth' });
  const no = { success: false, errors: [{ code: 10_000, message: 'x' }], result: null };
  expect(await verified({ body: no }, connect)).toEqual({ asked: '/user/tokens/verify', code: 'auth' });
});

test.each<[CloudflareOptions, string]>([
  [{}, 'CLOUDFLARE_API_TOKEN'],
  [{ apiToken: own.apiToken }, 'CLOUDFLARE_ACCOUNT_ID'],
  [{ ...own, accountId: 'shop/../x' }, '32 hexadecimal digits'],
])('options %j are refused', (options, text) => {
  expect(() => new CloudflareBackend(options)).toThrow(text);
});

describeBackend('cloudflare', vendorSubject(cloudflare, connect), { describe, it });

describeVendorFaults('cloudflare', {
  vendor: cloudflare,
  connect: (baseUrl, options) => new CloudflareBackend({ ...own, baseUrl, ...options }),
});
