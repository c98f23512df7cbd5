import { Agent } from 'node:http';
import { SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EmailError } from '../../../src/model/errors.ts';
import { StrictSes } from '../../servers/strict-ses.ts';
import { addresses, closeAll, connectTo, errorOf, mail, statuses } from './connect.ts';

let ses: StrictSes;
beforeAll(async () => {
  ses = await StrictSes.start();
});
afterAll(() => ses.close());
afterEach(async () => {
  vi.unstubAllEnvs();
  await closeAll();
  ses.reset();
});

const KEYS = { accessKeyId: 'OWN', secretAccessKey: 'x' };
const never = () => new Promise<never>(() => {});

function clientWith(config: object): { readonly client: SESv2Client } {
  return { client: new SESv2Client({ endpoint: ses.endpoint, region: 'eu-west-1', credentials: KEYS, ...config }) };
}

/** Keys from a service that answers with an error of its own. */
function refusingKeys(name: string, httpStatusCode: number): () => Promise<typeof KEYS> {
  return () => Promise.reject(Object.assign(new Error('no keys today'), { name, $metadata: { httpStatusCode } }));
}

/** A client whose sockets cannot be made. */
function withoutNetwork(code: string, syscall: string): { readonly client: SESv2Client } {
  const lookup = (_host: string, _options: object, done: (error: Error) => void) =>
    done(Object.assign(new Error(`${syscall} ${code} ses.test`), { code, syscall }));
  return clientWith({ endpoint: 'http://ses.test', requestHandler: { httpAgent: new Agent({ lookup } as object) } });
}

describe('what never left the process has certainly failed', () => {
  const cases: readonly (readonly [string, () => object, readonly unknown[], string])[] = [
    [
      'a function for credentials that throws',
      () => ({ credentials: () => Promise.reject(new Error('the vault is shut')) }),
      ['ConfigurationError', 'invalid-credentials', false],
      'ses: the function given as credentials failed: the vault is shut',
    ],
    [
      'a function for credentials that never ends',
      () => ({ credentials: never, timeoutMs: 50 }),
      ['EmailConnectionError', 'timeout', true],
      'the mail was not handed to SES: no credentials within 50 ms',
    ],
    [
      'a session token with a line break',
      () => ({ credentials: { ...KEYS, sessionToken: 'token\n' } }),
      ['ConfigurationError', 'invalid-credentials', false],
      'AWS: sessionToken is no text of printable ASCII characters',
    ],
    [
      'an endpoint that is no URL',
      () => ({ endpoint: 'http://[' }),
      ['ConfigurationError', 'invalid-option', false],
      'correct the option endpoint, or AWS_ENDPOINT_URL',
    ],
    [
      'a client without a region',
      () => clientWith({ region: undefined }),
      ['ConfigurationError', 'invalid-option', false],
      'Region is missing: make the client with a region',
    ],
    [
      'a client with a region that is none',
      () => clientWith({ region: 'eu west' }),
      ['ConfigurationError', 'invalid-option', false],
      'make the client with a region',
    ],
    [
      "a client whose provider's own service is down",
      () => clientWith({ credentials: refusingKeys('InternalFailure', 500) }),
      ['EmailConnectionError', 'connection', true],
      'the mail was not handed to SES: HTTP 500, InternalFailure, no keys today',
    ],
    [
      "a client whose provider's own service refuses",
      () => clientWith({ credentials: refusingKeys('AccessDenied', 403) }),
      ['EmailConnectionError', 'auth', false],
      'AccessDenied: no keys today',
    ],
    [
      "a client whose provider's own service takes no such request",
      () => clientWith({ credentials: refusingKeys('ValidationError', 400) }),
      ['EmailConnectionError', 'connection', true],
      'HTTP 400, ValidationError, no keys today',
    ],
    [
      'a client whose provider throws',
      () => clientWith({ credentials: () => Promise.reject(new TypeError('undefined is no function')) }),
      ['EmailConnectionError', 'connection', false],
      'the mail was not handed to SES: TypeError, undefined is no function',
    ],
    [
      'a host that cannot be reached',
      () => withoutNetwork('EHOSTUNREACH', 'connect'),
      ['EmailConnectionError', 'unreachable', true],
      'no connection to SES in us-east-1: there is no way to it',
    ],
    [
      'a name server that does not answer',
      () => withoutNetwork('EAI_AGAIN', 'getaddrinfo'),
      ['EmailConnectionError', 'dns', true],
      'its name was not found: check region and endpoint',
    ],
  ];

  function withoutRegion(): void {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, undefined);
    for (const name of ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE']) vi.stubEnv(name, '/nonexistent');
  }

  function expectUnsent(error: EmailError, facts: readonly unknown[], text: string): void {
    expect([error.name, error.code, error.retryable]).toEqual(facts);
    expect(error.outcome).toBe('not-sent');
    expect(error.message).toContain(text);
    expect(new Set(Object.values(statuses(error.status)))).toEqual(new Set(['failed']));
    expect(ses.requests).toEqual([]);
  }

  test.each(cases)('%s', async (_, options, facts, text) => {
    withoutRegion();
    expectUnsent(await errorOf(connectTo(ses, options()).sendMessages([mail()])), facts, text);
  });

  test.each(cases)('in bulk: %s', async (_, options, facts, text) => {
    withoutRegion();
    const to = addresses(60);
    const sending = connectTo(ses, options()).sendMessages([mail({ to, mergeData: {}, mergeGlobalData: {} })]);
    expectUnsent(await errorOf(sending), facts, text);
  });

  test('a call that is aborted while credentials are fetched', async () => {
    const controller = new AbortController();
    const credentials = () => {
      setImmediate(() => controller.abort());
      return never();
    };
    const sending = connectTo(ses, { credentials }).sendMessages([mail()], { signal: controller.signal });
    expectUnsent(await errorOf(sending), ['SendError', 'aborted', true], 'before this mail was handed to SES');
  });

  test('a call that is aborted while its mail is composed', async () => {
    const controller = new AbortController();
    const content = async function* () {
      controller.abort();
      yield new Uint8Array(10);
    };
    const attachments = [{ filename: 'a.bin', content }];
    const sending = connectTo(ses).sendMessages([mail({ attachments })], { signal: controller.signal });
    expectUnsent(await errorOf(sending), ['SendError', 'aborted', true], 'before its content was read');
  });

  test.each([
    ['alone', {}],
    ['in a template', { mergeGlobalData: {} }],
    ['in bulk', { mergeData: { 'jane@example.org': {} } }],
  ])('a mail whose attachment cannot be read, %s', async (_, fields) => {
    const content = () => ({
      async *[Symbol.asyncIterator]() {
        yield new Uint8Array(3);
        throw new Error('the disk is gone');
      },
    });
    const attachments = [{ filename: 'a.bin', content }];
    const error = await errorOf(connectTo(ses).sendMessages([mail({ attachments, ...fields })]));
    expectUnsent(error, ['SendError', 'source', false], 'an attachment could not be read: the disk is gone');
  });

  test('a call that is aborted while its mail waits for its turn', async () => {
    const first = new AbortController();
    const second = new AbortController();
    let requests = 0;
    const send = (_: object, { abortSignal }: { readonly abortSignal: AbortSignal }) =>
      new Promise<never>((_resolve, reject) => {
        requests++;
        abortSignal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    const connection = connectTo(ses, { client: { send }, maxConnections: 1, ratePerSecond: 100 });
    const hanging = errorOf(connection.sendMessages([mail()], { signal: first.signal }));
    await expect.poll(() => requests).toBe(1);
    const waiting = errorOf(connection.sendMessages([mail()], { signal: second.signal }));
    setImmediate(() => second.abort());
    expectUnsent(await waiting, ['SendError', 'aborted', true], 'before this mail was handed to SES');
    first.abort();
    expect((await hanging).outcome).toBe('unknown');
    expect(requests).toBe(1);
  });

  test('a client that is not of the SDK may have sent by other means', async () => {
    const client = { send: () => Promise.reject(new Error('something broke')) };
    const error = await errorOf(connectTo(ses, { client }).sendMessages([mail()]));
    expect(error).toMatchObject({ code: 'uncertain', outcome: 'unknown' });
  });
});

describe('verify speaks of the account, and of no mail', () => {
  test.each([
    [{ answer: '{"message":"oops"}', status: 500 }, 'connection'],
    [{ answer: '<html>Bad Gateway</html>', status: 502 }, 'connection'],
    [{ answer: '{"SendQuota', status: 200 }, 'connection'],
    [{ cut: 'reset' }, 'closed'],
    [{ cut: 'hang' }, 'timeout'],
  ] as const)('%o', async (fault, code) => {
    ses.script = () => fault;
    const error = await connectTo(ses, { timeoutMs: code === 'timeout' ? 2_000 : 60_000 })
      .verify()
      .then(String, (thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'EmailConnectionError', code, outcome: 'not-sent', retryable: true });
    expect(error).toMatchObject({ message: expect.stringMatching(/^SES did not tell of the account: /) });
    expect(ses.requests).toHaveLength(1);
  });

  test('what is refused is the question', async () => {
    ses.script = () => ({ name: 'BadRequestException', message: 'no' });
    const refused = { code: 'provider', message: 'SES refused to tell of the account: BadRequestException: no' };
    await expect(connectTo(ses).verify()).rejects.toMatchObject(refused);
  });

  test('it can be aborted', async () => {
    const controller = new AbortController();
    ses.script = () => {
      setImmediate(() => controller.abort());
      return { cut: 'hang' };
    };
    const aborted = { name: 'EmailConnectionError', code: 'aborted', outcome: 'not-sent' };
    await expect(connectTo(ses).verify({ signal: controller.signal })).rejects.toMatchObject(aborted);
    await expect(connectTo(ses).verify({ signal: AbortSignal.abort() })).rejects.toMatchObject(aborted);
    expect(ses.requests).toHaveLength(1);
  });
});
