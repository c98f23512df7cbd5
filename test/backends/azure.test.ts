import { describe, expect, it, test } from 'vitest';
import { readConnectionString } from '../../src/backends/azure/connection-string.ts';
import { signatureOf } from '../../src/backends/azure/signature.ts';
import { AzureBackend, type AzureOptions } from '../../src/backends/azure.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { ACCESS_KEY, azure } from '../servers/vendors/azure.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, FULL_HEADERS, MAIL, told, verified } from './vendor-trial.ts';

const connectionString = `endpoint=https://shop.communication.azure.com/;accesskey=${ACCESS_KEY}`;
const connect = (baseUrl: string) => new AzureBackend({ connectionString, baseUrl });
const plain = { ...FULL, fromEmail: 'shop@bücher.example' };

test('every field stands where Azure looks for it', async () => {
  const { bodies, calls, results } = await asked(azure, connect, plain);
  expect(bodies).toEqual([
    {
      senderAddress: 'shop@xn--bcher-kva.example',
      content: { subject: 'Größe', plainText: 'Hello', html: '<img src="cid:logo">' },
      recipients: {
        to: [{ address: 'ann@example.org', displayName: 'Ann' }, { address: 'bob@example.org' }],
        cc: [{ address: 'cid@example.org' }],
        bcc: [{ address: 'dan@example.org' }],
      },
      replyTo: [{ address: 'help@example.com', displayName: 'Help' }],
      headers: FULL_HEADERS,
      attachments: [
        { name: 'a.txt', contentType: 'text/plain', contentInBase64: 'R3LDvMOfZQ==' },
        { name: 'logo.png', contentType: 'image/png', contentInBase64: 'AQID', contentId: 'logo' },
      ],
    },
  ]);
  expect(calls[0]?.path).toBe('/emails:send?api-version=2025-09-01');
  expect(results[0]).toMatchObject({ messageId: 'id-1', ignored: ['tags', 'metadata'] });
  expect(results[0]?.recipients.get('bob@example.org')?.status).toBe('queued');
});

test('a sender with a name is refused, as Azure shows its own', async () => {
  const { results, calls } = await asked(azure, connect, FULL);
  expect(results[0]?.error).toMatchObject({ code: 'unsupported-feature', issues: [{ path: 'fromEmail' }] });
  expect(results[0]?.error?.message).toContain('give the address alone');
  expect(calls).toEqual([]);
});

test('an idempotency key names the operation, by the same UUID each time', async () => {
  const mails = ['order-17', 'order-17', 'order-18'].map((idempotencyKey) => ({ ...MAIL, idempotencyKey }));
  const { calls, results } = await asked(azure, connect, ...mails, MAIL);
  const ids = calls.map(({ headers }) => headers['operation-id']).toSorted();
  expect(
    ids.slice(0, 3).every((id) => /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/.test(id ?? '')),
  ).toBe(true);
  expect(new Set(ids).size).toBe(3);
  expect(ids).toContain(undefined);
  expect(results[0]?.ignored).toEqual(['idempotencyKey']);
});

describe('the signature', () => {
  // Computed with the hmac and hashlib of Python 3.
  test.each<[string, string, string | Uint8Array[] | null, string, string, string]>([
    [
      'POST',
      'https://shop.communication.azure.com/emails:send?api-version=2025-09-01',
      '{"subject":"Größe"}',
      '2026-01-01T00:00:00Z',
      'wjCb2J8wzFJcTfVUTGDzexlAUkQxmujVIIDUjBCoUcg=',
      '/e1MRSUX1hBHFGiDPbE69cjV5AG9FkTZBqjNeIl7Cxc=',
    ],
    [
      'GET',
      'http://127.0.0.1:8080/emails/operations/1?api-version=2025-09-01',
      null,
      '1994-11-06T08:49:37Z',
      '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
      'Y9pJdSdecjothGmDSm1Ko3pq8qlG5kMOhyDtXfGIIYA=',
    ],
    [
      'POST',
      'https://shop.communication.azure.com/emails:send?api-version=2025-09-01',
      [Uint8Array.of(0), Uint8Array.of(255, 1)],
      '2026-01-01T00:00:00Z',
      'R/+j6kWnC4pBwsCCXfMjwAqLegHB6gYIPMQd3cwAESM=',
      'sx+RYREFyZZDPHhdUWPnlyWE2xAxOgbcxsaMf0c+dN4=',
    ],
  ])('%s %s %s', (method, url, body, date, content, signature) => {
    const request = { method: method as 'POST' | 'GET', url, body };
    expect(signatureOf(request, ACCESS_KEY, new Date(date))).toEqual({
      'x-ms-date': new Date(date).toUTCString(),
      'x-ms-content-sha256': content,
      authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
    });
  });

  test('is there for endpoint and accessKey, too', async () => {
    const apart = (baseUrl: string) => new AzureBackend({ endpoint: 'shop.example', accessKey: ACCESS_KEY, baseUrl });
    const { results } = await asked(azure, apart, MAIL);
    expect(results[0]?.error).toBeNull();
  });
});

describe('a token of Entra', () => {
  test('is sent instead of a signature', async () => {
    const byToken = (baseUrl: string) =>
      new AzureBackend({ endpoint: 'https://shop.communication.azure.com', accessToken: () => 'entra-token', baseUrl });
    const { calls, results } = await asked(azure, byToken, MAIL);
    expect(results[0]?.error).toBeNull();
    expect(calls[0]?.headers).toMatchObject({ authorization: 'Bearer entra-token' });
    expect(calls[0]?.headers).not.toHaveProperty('x-ms-date');
  });

  test('is asked for again, once, when it is refused', async () => {
    const asks: boolean[] = [];
    const accessToken = async ({ refresh }: { readonly refresh: boolean }): Promise<string> => {
      asks.push(refresh);
      return refresh ? 'entra-token' : 'stale';
    };
    const byToken = (baseUrl: string) => new AzureBackend({ endpoint: 'shop.example', accessToken, baseUrl });
    const { calls, results } = await asked(azure, byToken, MAIL);
    expect(results[0]?.error).toBeNull();
    expect(calls.map(({ headers }) => headers['authorization'])).toEqual(['Bearer stale', 'Bearer entra-token']);
    expect(asks).toEqual([false, true]);
  });
});

describe('answers', () => {
  const error = (status: number, code: string): HttpReply => ({ status, body: { error: { code, message: 'x' } } });
  test.each<[HttpReply, object]>([
    [
      { status: 202, body: { id: 'op', status: 'Running' } },
      { status: 'queued', id: 'op' },
    ],
    [
      { status: 202, body: { id: 'op', status: 'Failed', error: { code: 'EmailDropped', message: 'x' } } },
      { status: 'rejected', code: 'rejected', text: 'azure refused the mail: 202 EmailDropped: x' },
    ],
    [
      { status: 202, body: {} },
      { status: 'unknown', code: 'uncertain' },
    ],
    [error(401, 'Denied'), { code: 'auth', status: 'failed' }],
    [error(403, 'Forbidden'), { code: 'auth' }],
    [error(404, 'DomainNotLinked'), { code: 'account', text: expect.stringContaining('link the sender') }],
    [error(400, 'InvalidSenderUserName'), { code: 'account' }],
    [error(400, 'BadRequest'), { code: 'rejected', status: 'rejected' }],
    [error(413, 'RequestEntityTooLarge'), { code: 'too-large' }],
    [
      { status: 429, headers: { 'retry-after': '7' }, body: {} },
      { code: 'throttled', retryable: true },
    ],
    [error(409, 'Conflict'), { code: 'uncertain', status: 'unknown' }],
    [error(500, 'InternalServerError'), { code: 'uncertain', status: 'unknown' }],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect)).toMatchObject(expected);
  });

  test('the key is in none of them', async () => {
    const script = ({ headers }: { readonly headers: Readonly<Record<string, string>> }): HttpReply => ({
      status: 401,
      body: { error: { code: 'Denied', message: `${ACCESS_KEY} ${headers['authorization']}` } },
    });
    const { text } = await told(script, connect);
    expect(text).not.toContain(ACCESS_KEY);
  });
});

describe('verify asks for an operation that there is not', () => {
  const path = '/emails/operations/00000000-0000-0000-0000-000000000000?api-version=2025-09-01';
  test.each<[HttpReply, object]>([
    [{ status: 404, body: { error: { code: 'NotFound', message: 'x' } } }, { operations: true }],
    [{ status: 401, body: { error: { code: 'Denied', message: 'x' } } }, { code: 'auth' }],
    [{ status: 404, body: '<html>' }, { code: 'rejected' }],
  ])('%j', async (reply, expected) => {
    expect(await verified(reply, connect)).toEqual({ asked: path, ...expected });
  });
});

describe('connection strings', () => {
  const resource = { endpoint: 'https://shop.communication.azure.com', accessKey: ACCESS_KEY };
  test.each<[string, object | null]>([
    [connectionString, resource],
    [`Endpoint=https://shop.communication.azure.com;AccessKey=${ACCESS_KEY}`, resource],
    [`accesskey=${ACCESS_KEY};endpoint=shop.communication.azure.com`, resource],
    ['endpoint=https://shop.communication.azure.com', null],
    [`endpoint=https://shop.example/path;accesskey=${ACCESS_KEY}`, null],
    ['endpoint=https://shop.example;accesskey=not base64', null],
    ['', null],
  ])('%s', (text, expected) => {
    expect(readConnectionString(text)).toEqual(expected);
  });
});

const endpoint = 'shop.communication.azure.com';
test.each<[AzureOptions, string, string]>([
  [{}, 'missing-option', 'AZURE_COMMUNICATION_CONNECTION_STRING'],
  [{ connectionString: 'x' }, 'invalid-option', "'endpoint=https://...;accesskey=...'"],
  [{ endpoint }, 'missing-option', 'accessKey is missing beside endpoint'],
  [{ endpoint: 'https://shop.example/x/y', accessKey: ACCESS_KEY }, 'invalid-option', 'the address of the resource'],
  [{ connectionString, endpoint }, 'conflicting-options', 'leave endpoint out'],
  [{ connectionString, accessToken: 'x' }, 'conflicting-options', 'leave accessToken out'],
  [{ endpoint, accessKey: ACCESS_KEY, accessToken: 'x' }, 'conflicting-options', 'two ways to log in'],
  [{ endpoint, accessToken: 'x y' }, 'invalid-option', 'printable ASCII'],
  [{ endpoint: 'shop.example:99999', accessToken: 'x' }, 'invalid-option', 'the address of the resource'],
  [{ endpoint: `http://${endpoint}`, accessToken: 'x' }, 'invalid-option', 'endpoint must begin with https://'],
  [
    { connectionString: `endpoint=HTTP://${endpoint}/;accesskey=${ACCESS_KEY}` },
    'invalid-option',
    'the endpoint in connectionString must begin with https://',
  ],
  [
    { endpoint: 'http://127.0.0.1:1', accessKey: ACCESS_KEY, proxy: 'http://proxy.example:3128' },
    'invalid-option',
    'not through a proxy',
  ],
])('options %j are refused', (options, code, text) => {
  expect(() => new AzureBackend(options)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(text) }),
  );
});

test.each<AzureOptions>([
  { endpoint: 'http://127.0.0.1:8080', accessToken: 'x' },
  { endpoint: `http://${endpoint}`, accessToken: 'x', allowInsecureAuth: true },
])('an endpoint without TLS is taken on this machine, or where that is allowed: %j', (options) => {
  expect(new AzureBackend(options).name).toBe('azure');
});

describeBackend('azure', vendorSubject(azure, connect), { describe, it });

describeVendorFaults('azure', {
  vendor: azure,
  connect: (baseUrl, options) => new AzureBackend({ connectionString, baseUrl, ...options }),
});
