import { SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, test, vi } from 'vitest';
import type { EmailBackend } from '../../../src/backend/backend.ts';
import { accountOf } from '../../../src/backends/ses/account.ts';
import { resolveSesOptions } from '../../../src/backends/ses/options.ts';
import type { SendBulkEmailRequest, SendEmailRequest } from '../../../src/backends/ses/requests.ts';
import type { SesSdk } from '../../../src/backends/ses/sdk.ts';
import { SesBackend, type SesClientLike } from '../../../src/backends/ses.ts';
import { getConnection } from '../../../src/connection/connection.ts';
import type { Base64 } from '../../../src/http/json.ts';
import { ConfigurationError } from '../../../src/model/errors.ts';
import { StrictSes } from '../../servers/strict-ses.ts';
import { closeAll, connectTo, errorOf, mail } from './connect.ts';

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

function configurationError(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigurationError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no error';
}

/** The region and the key that a request was signed for. */
async function signedFor(connection: EmailBackend): Promise<string | undefined> {
  await connection.sendMessages([mail()]);
  await connection.close();
  return /Credential=([^/]+\/)\d{8}(\/[^/]+)/
    .exec(ses.authorizations.at(-1) ?? '')
    ?.slice(1)
    .join('')
    .replace('//', ' ');
}

function withEnvironment(variables: Readonly<Record<string, string>>): void {
  for (const name of [
    'AWS_REGION',
    'AWS_DEFAULT_REGION',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
  ])
    vi.stubEnv(name, variables[name] ?? '');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
}

describe('keys and region', () => {
  const KEYS = { AWS_ACCESS_KEY_ID: 'ENVKEY', AWS_SECRET_ACCESS_KEY: 'secret' };

  test.each([
    [{ ...KEYS, AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-north-1' }, {}, 'ENVKEY eu-west-1'],
    [{ ...KEYS, AWS_DEFAULT_REGION: 'eu-north-1' }, {}, 'ENVKEY eu-north-1'],
    [KEYS, {}, 'ENVKEY us-east-1'],
    [{ ...KEYS, AWS_REGION: 'eu-west-1' }, { region: 'ap-south-1' }, 'ENVKEY ap-south-1'],
    [KEYS, { accessKeyId: 'CODEKEY', secretAccessKey: 'x' }, 'CODEKEY us-east-1'],
    [KEYS, { credentials: { accessKeyId: 'GIVEN', secretAccessKey: 'x' } }, 'GIVEN us-east-1'],
    [KEYS, { credentials: async () => ({ accessKeyId: 'FETCHED', secretAccessKey: 'x' }) }, 'FETCHED us-east-1'],
  ])('%o and %o', async (environment, options, expected) => {
    withEnvironment(environment);
    expect(await signedFor(getConnection('ses', { endpoint: ses.endpoint, ...options }))).toBe(expected);
  });

  test('a session token goes with its keys, never with others', async () => {
    withEnvironment({ ...KEYS, AWS_SESSION_TOKEN: 'ENVTOKEN' });
    await signedFor(getConnection('ses', { endpoint: ses.endpoint }));
    expect(ses.tokens.at(-1)).toBe('ENVTOKEN');
    await signedFor(getConnection('ses', { endpoint: ses.endpoint, accessKeyId: 'CODEKEY', secretAccessKey: 'x' }));
    expect(ses.tokens.at(-1)).toBeUndefined();
    await signedFor(connectTo(ses, { sessionToken: 'T' }));
    expect(ses.tokens.at(-1)).toBe('T');
  });

  test('without keys they are looked for, and what is missing is said', async () => {
    withEnvironment({});
    const connection = getConnection('ses', { endpoint: ses.endpoint });
    const error = await errorOf(connection.sendMessages([mail()], { failSilently: true }));
    expect(error).toMatchObject({ name: 'ConfigurationError', code: 'invalid-credentials' });
    expect(error.message).toContain('AWS_ACCESS_KEY_ID');
    expect(ses.requests).toEqual([]);
    await connection.close();
  });

  test.each([{ AWS_ACCESS_KEY_ID: 'HALF' }, { AWS_SESSION_TOKEN: 'HALF' }])(
    'half a pair in the environment, %o, is no matter beside credentials or a client',
    async (environment) => {
      withEnvironment(environment);
      const credentials = { accessKeyId: 'GIVEN', secretAccessKey: 'x' };
      expect(await signedFor(getConnection('ses', { endpoint: ses.endpoint, credentials }))).toBe('GIVEN us-east-1');
      const client = new SESv2Client({ endpoint: ses.endpoint, region: 'eu-west-1', credentials });
      expect(await signedFor(getConnection('ses', { client }))).toBe('GIVEN eu-west-1');
      client.destroy();
    },
  );

  test.each([
    { accessKeyId: 'AKID' },
    { secretAccessKey: 'TOPSECRET' },
    { sessionToken: 'TOPSECRET' },
    { accessKeyId: 'AKID', secretAccessKey: '' },
  ])('half a key pair, %o, is an error at once', (options) => {
    const text = configurationError(() => new SesBackend(options));
    expect(text).toMatch(/^missing-option: ses: half a key pair/);
    expect(text).not.toContain('TOPSECRET');
  });
});

describe('options', () => {
  test.each([
    [{ regoin: 'x' }, /unknown-option/],
    [{ configurationSet: 'a b' }, /configurationSet must be up to 64/],
    [{ endpoint: 'localhost' }, /endpoint must be a URL/],
    [{ credentials: { accessKeyId: 'TOPSECRET' } }, /credentials must be an object with accessKeyId/],
    [{ client: {} }, /client must be an SESv2Client/],
    [{ extra: [] }, /extra must be/],
    [{ dkim: 'x' }, /invalid-option.*dkim must be/],
    [{ dkim: [] }, /invalid-option.*dkim must be/],
    [{ dkim: {} }, /invalid-option.*dkim must be/],
    [{ dkim: [null] }, /invalid-option.*dkim must be/],
    [{ dkim: { domain: 'example.com', selector: 's' } }, /invalid-option.*dkim must be/],
    [{ dkim: { domain: 'example.com', selector: 's', privateKey: 'TOPSECRET' } }, /invalid-key/],
    [{ ratePerSecond: 0 }, /ratePerSecond must be an integer of at least 1/],
    [{ maxConnections: 0 }, /maxConnections/],
    [{ timeoutMs: -1 }, /timeoutMs/],
    [{ idleMs: 0 }, /idleMs/],
    [{ retry: { attempts: 0 } }, /attempts/],
    [{ retry: { often: 1 } }, /unknown option 'often'/],
    [{ listManagement: { contactList: 1 } }, /contactList/],
  ])('%o is refused', (options, expected) => {
    const text = configurationError(() => getConnection('ses', options as object));
    expect(text).toMatch(expected);
    expect(text).not.toContain('TOPSECRET');
  });

  test('a URL reaches them', async () => {
    const keys = 'accessKeyId=AKID&secretAccessKey=s&region=eu-west-3&maxConnections=1&configurationSet=news';
    const connection = getConnection(`ses://?${keys}&endpoint=${encodeURIComponent(ses.endpoint)}`);
    await connection.sendMessages([mail()]);
    expect(ses.accepted[0]?.request['ConfigurationSetName']).toBe('news');
    await connection.close();
  });

  test('connections of one account share its rate, others have their own', () => {
    const account = (options: object) =>
      accountOf(resolveSesOptions({ accessKeyId: 'A', secretAccessKey: 's', ...options }));
    expect(account({})).toBe(account({ maxConnections: 3 }));
    expect(account({})).toBe(account({ credentials: { accessKeyId: 'A', secretAccessKey: 's' } }));
    const client = { send: async () => ({}) };
    const credentials = async () => ({ accessKeyId: 'A', secretAccessKey: 's' });
    expect(account({ client })).toBe(account({ client, accessKeyId: 'B', region: 'eu-west-1' }));
    expect(account({ credentials })).toBe(account({ credentials, accessKeyId: 'B' }));
    const all = [
      {},
      { region: 'eu-west-1' },
      { accessKeyId: 'B' },
      { ratePerSecond: 5 },
      { client },
      { credentials },
      { endpoint: 'http://localhost' },
    ];
    expect(new Set(all.map(account)).size).toBe(all.length);
  });

  test('requests to a multi-region endpoint are signed for every region', async () => {
    await connectTo(ses, { endpointId: 'abc.123' }).sendMessages([mail()]);
    expect(ses.accepted[0]?.request['EndpointId']).toBe('abc.123');
    expect(ses.authorizations[0]).toMatch(/^AWS4-ECDSA-P256-SHA256 Credential=AKID\d+\/\d{8}\/ses\/aws4_request, /);
  });
});

describe('a ready client', () => {
  test('is used, its own retries are not, and it is not destroyed', async () => {
    const client = new SESv2Client({
      endpoint: ses.endpoint,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'OWN', secretAccessKey: 'x' },
      maxAttempts: 5,
    });
    const connection = new SesBackend({ client, retry: { attempts: 1 } });
    ses.script = () => ({ answer: '{}', status: 500, accepts: true });
    expect((await errorOf(connection.sendMessages([mail()]))).outcome).toBe('unknown');
    expect(ses.requests).toHaveLength(1);
    ses.reset();
    ses.script = () => ({ cut: 'hang' });
    const hanging = new SesBackend({ client, timeoutMs: 50 });
    expect((await errorOf(hanging.sendMessages([mail()]))).code).toBe('timeout');
    ses.reset();
    expect(await signedFor(connection)).toBe('OWN eu-west-1');
    expect(await signedFor(connection)).toBe('OWN eu-west-1');
    client.destroy();
  });

  test('the structural types are those of the SDK', () => {
    expectTypeOf<SESv2Client>().toExtend<SesClientLike>();
    expectTypeOf<typeof import('@aws-sdk/client-sesv2')>().toExtend<SesSdk>();
    type Mutable<T> = T extends Base64 ? T : { -readonly [K in keyof T]: Mutable<T[K]> };
    type InBase64<T> = T extends Uint8Array ? Base64 : { [K in keyof T]: InBase64<T[K]> };
    type Sdk = typeof import('@aws-sdk/client-sesv2');
    type Input<K extends 'SendEmailCommand' | 'SendBulkEmailCommand'> = InBase64<InstanceType<Sdk[K]>['input']>;
    expectTypeOf<Mutable<SendEmailRequest>>().toExtend<Input<'SendEmailCommand'>>();
    expectTypeOf<Mutable<SendBulkEmailRequest>>().toExtend<Input<'SendBulkEmailCommand'>>();
  });
});

describe('verify', () => {
  test('says what the account may do', async () => {
    const { details } = await connectTo(ses).verify();
    expect(details).toMatchObject({ isInSandbox: false, max24HourSend: 50_000, maxSendRate: 10_000, tracking: true });
    expect(ses.requests).toHaveLength(1);
  });

  test.each([
    [{ SendingEnabled: false }, 'account'],
    [{ EnforcementStatus: 'SHUTDOWN' }, 'account'],
    [null, 'auth'],
  ])('an account that says %o cannot send', async (account, code) => {
    ses.account = account;
    await expect(connectTo(ses).verify()).rejects.toMatchObject({ code });
  });
});

describe('open and close', () => {
  test('it can be used after close, and needs no open', async () => {
    const connection = connectTo(ses);
    await connection.sendMessages([mail()]);
    await connection.close();
    await ses.whenDisconnected();
    await connection.open();
    expect((await connection.sendMessages([mail()])).isSuccess).toBe(true);
  });
});
