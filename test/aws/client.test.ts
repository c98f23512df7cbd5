import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AwsClient, AwsError, UnsentError } from '../../src/aws/client.ts';
import type { AwsCredentials } from '../../src/aws/credentials.ts';
import { ScriptedHttp } from '../servers/scripted-http.ts';

let server: ScriptedHttp;
let client: AwsClient;
beforeAll(async () => {
  server = await ScriptedHttp.start();
});
afterEach(() => {
  client.close();
  server.calls.length = 0;
  server.script = () => ({});
});
afterAll(() => server.close());

const KEYS = { accessKeyId: 'AKID', secretAccessKey: 'TOPSECRET', sessionToken: 'TOKEN' };

function connect(credentials: AwsCredentials | (() => Promise<AwsCredentials>) = KEYS): AwsClient {
  const service = { name: 'ses', host: 'email', variable: 'SESV2' } as const;
  const given = { region: 'eu-west-1', multiRegionId: undefined, credentials, idleMs: 4_000 };
  client = new AwsClient(service, { ...given, endpoint: `${server.url}/base/` });
  return client;
}

const ask = (to: AwsClient): Promise<object> => to.send('POST', '/v2/x', '{}', new AbortController().signal);
const refuse = (headers: Record<string, string>, body: unknown = {}) => ({ status: 403, headers, body });

/** What a refusal is, and whether the same request may go well now. */
async function refusal(to: AwsClient): Promise<unknown> {
  const error = await ask(to).catch((thrown: unknown) => thrown);
  return error instanceof AwsError ? [error.name, error.message, error.$metadata.clockSkewCorrected] : error;
}

test('a signed request and its answer', async () => {
  server.script = () => ({ headers: { 'x-amzn-requestid': 'r1' }, body: { MessageId: 'm' } });
  expect(await ask(connect())).toEqual({ MessageId: 'm', $metadata: { httpStatusCode: 200, requestId: 'r1' } });
  expect(server.calls).toMatchObject([
    {
      method: 'POST',
      path: '/base/v2/x',
      headers: {
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/ses\/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
        ),
        'content-type': 'application/json',
        'x-amz-security-token': 'TOKEN',
      },
    },
  ]);
  expect(JSON.stringify(server.calls)).not.toContain('TOPSECRET');
});

test.each([
  [{ 'x-amzn-errortype': 'MessageRejected' }, { message: 'no' }, ['MessageRejected', 'no', false]],
  [{ 'x-amzn-errortype': 'MessageRejected:http://x/' }, { Message: 'no' }, ['MessageRejected', 'no', false]],
  [{}, { __type: 'com.amazonaws.ses#Throttling', message: 7 }, ['Throttling', '', false]],
  [{}, '<html>', ['Unknown', '', false]],
  [
    {},
    { message: `${'no '.repeat(1_000)}\nx-amz-security-token:TOKEN` },
    ['Unknown', 'no '.repeat(1_000).slice(0, 500), false],
  ],
  [{}, { __type: `${':'.repeat(1_000_000)}\n` }, ['', '', false]],
])('a refusal with %o and %o', async (headers, body, expected) => {
  server.script = () => refuse(headers, body);
  expect(await refusal(connect())).toEqual(expected);
});

test('a clock that is off is corrected by what the service says of the time, once', async () => {
  const hour = 3_600_000;
  server.script = () =>
    refuse({ 'x-amzn-errortype': 'InvalidSignatureException', date: new Date(Date.now() - hour).toUTCString() });
  const skewed = connect();
  expect(await refusal(skewed)).toEqual(['InvalidSignatureException', '', true]);
  expect(await refusal(skewed)).toEqual(['InvalidSignatureException', '', false]);
  const dates = server.calls.map(({ headers }) => headers['x-amz-date'] ?? '');
  expect(dates.map((stamp) => Date.parse(stamp.replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:')))).toEqual([
    expect.closeTo(Date.now(), -5),
    expect.closeTo(Date.now() - hour, -5),
  ]);
});

test('requests that were under way with a clock that is off may all be made again', async () => {
  const hour = 3_600_000;
  server.script = () =>
    refuse({ 'x-amzn-errortype': 'InvalidSignatureException', date: new Date(Date.now() + hour).toUTCString() });
  const skewed = connect();
  expect(await Promise.all([refusal(skewed), refusal(skewed), refusal(skewed)])).toEqual(
    Array.from({ length: 3 }, () => ['InvalidSignatureException', '', true]),
  );
  expect(await refusal(skewed)).toEqual(['InvalidSignatureException', '', false]);
});

test('an empty session token is none', async () => {
  await ask(connect({ ...KEYS, sessionToken: '' }));
  expect(server.calls[0]?.headers).not.toHaveProperty('x-amz-security-token');
});

test('keys that have ended are fetched anew for the next request; given ones cannot be', async () => {
  let fetched = 0;
  const fetching = connect(async () => ({ accessKeyId: `K${++fetched}`, secretAccessKey: 's' }));
  server.script = (_, count) => (count === 1 ? refuse({ 'x-amzn-errortype': 'ExpiredTokenException' }) : {});
  expect(await refusal(fetching)).toEqual(['ExpiredTokenException', '', true]);
  await ask(fetching);
  expect(server.calls.map(({ headers }) => /Credential=(K\d)/.exec(headers['authorization'] ?? '')?.[1])).toEqual([
    'K1',
    'K2',
  ]);
  server.script = () => refuse({ 'x-amzn-errortype': 'ExpiredTokenException' });
  expect(await refusal(connect())).toEqual(['ExpiredTokenException', '', false]);
});

test.each([
  ['a token with a line break', { ...KEYS, sessionToken: 'TOP\nSECRET' }, 'sessionToken'],
  ['a key with a line break', { ...KEYS, accessKeyId: 'AKID\n' }, 'accessKeyId'],
  ['a function that knows no secret', { accessKeyId: 'AKID' } as AwsCredentials, 'secretAccessKey'],
])('with %s nothing is sent, and no value is told', async (_, keys, option) => {
  const error = await ask(connect(async () => keys)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnsentError);
  expect(error).toMatchObject({ cause: { code: 'invalid-credentials', option } });
  expect(inspect(error)).not.toMatch(/TOP|SECRET/);
  expect(server.calls).toEqual([]);
});

test.each(['localhost:4566', 'ftp://127.0.0.1', 'http://['])('%s is no address to send to', (endpoint) => {
  const service = { name: 'ses', host: 'email', variable: 'SESV2' } as const;
  const given = { region: 'eu-west-1', endpoint, multiRegionId: undefined, credentials: KEYS, idleMs: 4_000 };
  expect(() => new AwsClient(service, given)).toThrow(/^AWS: the address of ses must be a URL/);
});
