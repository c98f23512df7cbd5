import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findCredentials } from '../../src/aws/credential-chain.ts';
import { NodeTransport } from '../../src/net/node-transport.ts';
import { setEnvironment } from '../../src/options/environment.ts';
import { type HttpCall, ScriptedHttp } from '../servers/scripted-http.ts';

let server: ScriptedHttp;
let folder = '';
const transport = new NodeTransport();
beforeAll(async () => {
  server = await ScriptedHttp.start();
  folder = mkdtempSync(join(tmpdir(), 'aws-'));
});
afterEach(() => {
  server.calls.length = 0;
  server.script = () => ({});
});
afterAll(async () => {
  transport.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** What is found with these variables, or the code and text of the error. */
async function found(variables: Readonly<Record<string, string>>): Promise<unknown> {
  const none = join(folder, 'none');
  const restore = setEnvironment({
    env: { AWS_CONFIG_FILE: none, AWS_SHARED_CREDENTIALS_FILE: none, AWS_EC2_METADATA_DISABLED: 'true', ...variables },
  });
  try {
    return await findCredentials(transport, 'eu-west-1');
  } catch (error) {
    const { code, message } = error as { readonly code: string; readonly message: string };
    return `${code}: ${message}`;
  } finally {
    restore();
  }
}

const ENV = { AWS_ACCESS_KEY_ID: 'ENV', AWS_SECRET_ACCESS_KEY: 'secret' };
const STORED = '[default]\naws_access_key_id = FILE\naws_secret_access_key=s+/=\n';
const answer = { AccessKeyId: 'ROLE', SecretAccessKey: 's', Token: 't', Expiration: '2026-11-30T12:00:00Z' };
const role = { accessKeyId: 'ROLE', secretAccessKey: 's', sessionToken: 't', expiration: new Date(answer.Expiration) };

describe('variables and profiles', () => {
  test('keys of the environment come first, with their token', async () => {
    const stored = { AWS_SHARED_CREDENTIALS_FILE: fileOf('credentials', STORED) };
    expect(await found({ ...ENV, ...stored })).toEqual({ accessKeyId: 'ENV', secretAccessKey: 'secret' });
    expect(await found({ ...ENV, AWS_SESSION_TOKEN: 't' })).toMatchObject({ sessionToken: 't' });
  });

  test.each([
    ['the default profile', STORED, '', {}, { accessKeyId: 'FILE', secretAccessKey: 's+/=' }],
    [
      'the profile that AWS_PROFILE names, before keys of the environment',
      `# mine\n${STORED}\n[ work ]\r\naws_access_key_id=WORK ; mine\naws_secret_access_key=x\naws_session_token=t\n`,
      '',
      { ...ENV, AWS_PROFILE: 'work' },
      { accessKeyId: 'WORK', secretAccessKey: 'x', sessionToken: 't' },
    ],
    [
      'a profile of the configuration',
      '',
      '[profile work]\naws_access_key_id=CONFIG\naws_secret_access_key=x\ns3 =\n  max_concurrent_requests = 20\n',
      { AWS_PROFILE: 'work' },
      { accessKeyId: 'CONFIG', secretAccessKey: 'x' },
    ],
    [
      'keys that stand in a profile beside a login',
      STORED,
      '[default]\nsso_session=work\nsso_account_id=1\nsso_role_name=mailer\n',
      {},
      { accessKeyId: 'FILE', secretAccessKey: 's+/=' },
    ],
    [
      'a profile that is not there leaves the search to go on',
      STORED,
      '[default]\nregion=eu-west-1\n',
      { AWS_PROFILE: '__proto__' },
      expect.stringMatching(/^invalid-credentials: no AWS credentials were found: set AWS_ACCESS_KEY_ID/),
    ],
  ])('%s', async (_, credentials, config, variables, expected) => {
    const files = {
      AWS_SHARED_CREDENTIALS_FILE: fileOf('credentials', credentials),
      AWS_CONFIG_FILE: fileOf('config', config),
    };
    expect(await found({ ...files, ...variables })).toEqual(expected);
  });

  test('a profile whose keys have to be fetched is left to the package that can', async () => {
    const program = `printf '{"Version":1,"AccessKeyId":"PROGRAM","SecretAccessKey":"s"}'`;
    const file = fileOf('config', `[default]\ncredential_process = sh -c "${program.replaceAll('"', '\\"')}"\n`);
    const before = process.env['AWS_CONFIG_FILE'];
    process.env['AWS_CONFIG_FILE'] = file; // the package reads the process's own
    try {
      expect(await found({ AWS_CONFIG_FILE: file })).toMatchObject({ accessKeyId: 'PROGRAM' });
    } finally {
      if (before === undefined) delete process.env['AWS_CONFIG_FILE'];
      else process.env['AWS_CONFIG_FILE'] = before;
    }
  });
});

describe('the role of a container', () => {
  const full = () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/role` });

  test('with a token, or one of a file that changes', async () => {
    server.script = () => ({ body: answer });
    expect(await found({ ...full(), AWS_CONTAINER_AUTHORIZATION_TOKEN: 'secret' })).toEqual(role);
    await found({ ...full(), AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: fileOf('token', 'of-file\n') });
    await found(full());
    expect(server.calls.map(({ method, path, headers }) => [method, path, headers['authorization']])).toEqual([
      ['GET', '/role', 'secret'],
      ['GET', '/role', 'of-file'],
      ['GET', '/role', undefined],
    ]);
  });

  test.each(['http://example.com/role', 'file:///etc/passwd', 'role'])('%s gets no token', async (url) => {
    const variables = { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'secret' };
    expect(await found(variables)).toMatch(/^invalid-credentials: AWS: AWS_CONTAINER_CREDENTIALS_FULL_URI must begin/);
  });

  test.each([
    [{ status: 403, body: 'no, secret' }, /^invalid-credentials: AWS: the container's endpoint .*answers 403 $/],
    [{ status: 500 }, /^connection: no credentials from the container's endpoint: it answers 500$/],
    [{ status: 429 }, /^connection: no credentials from the container's endpoint: it answers 429$/],
    [{ body: '<html>' }, /^invalid-credentials: .*has no keys in it$/],
    [{ body: { AccessKeyId: 'a' } }, /^invalid-credentials: .*has no keys in it$/],
    [{ cut: 'unanswered' as const }, /^connection: no credentials from the container's endpoint: /],
    [{ cut: 'body' as const }, /^connection: no credentials from the container's endpoint: it answers 200$/],
  ])('%o', async (reply, expected) => {
    server.script = () => reply;
    expect(await found({ ...full(), AWS_CONTAINER_AUTHORIZATION_TOKEN: 'secret' })).toMatch(expected);
  });
});

describe('the role of an instance', () => {
  const instance = () => ({ AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: `${server.url}/` });
  const imds = ({ method, path, headers }: HttpCall) => {
    if (method === 'PUT') return { body: headers['x-aws-ec2-metadata-token-ttl-seconds'] === '21600' ? 'TOKEN' : 'no' };
    if (headers['x-aws-ec2-metadata-token'] !== 'TOKEN') return { status: 401 };
    return path.endsWith('/security-credentials/') ? { body: 'mailer\n' } : { body: { Code: 'Success', ...answer } };
  };

  test('by a session of IMDSv2', async () => {
    server.script = imds;
    expect(await found(instance())).toEqual(role);
    expect(server.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      'GET /latest/meta-data/iam/security-credentials/mailer',
    ]);
  });

  test('an instance without a role, and what is no instance, have none', async () => {
    server.script = (call) => (call.method === 'PUT' ? imds(call) : { body: '' });
    expect(await found(instance())).toMatch(/^invalid-credentials: no AWS credentials were found/);
    server.script = () => ({ cut: 'unanswered' });
    expect(await found(instance())).toMatch(/^invalid-credentials: no AWS credentials were found/);
    server.calls.length = 0;
    expect(await found({ ...instance(), AWS_EC2_METADATA_DISABLED: 'true' })).toMatch(/^invalid-credentials/);
    expect(server.calls).toEqual([]);
  });
});

describe('the token of a web identity', () => {
  const identity = () => ({
    AWS_ENDPOINT_URL_STS: server.url,
    AWS_WEB_IDENTITY_TOKEN_FILE: fileOf('identity', 'ey.J.w\n'),
    AWS_ROLE_ARN: 'arn:aws:iam::1:role/mailer',
    AWS_ROLE_SESSION_NAME: 'mail',
  });
  const tag = ([name, text]: [string, string]) =>
    `<${name === 'Token' ? 'SessionToken' : name}>${text}</${name === 'Token' ? 'SessionToken' : name}>`;
  const xml = `<R><Credentials>${Object.entries(answer).map(tag).join('')}</Credentials></R>`;

  test('is given for the role', async () => {
    server.script = () => ({ headers: { 'content-type': 'text/xml' }, body: xml });
    expect(await found(identity())).toEqual(role);
    const [call] = server.calls;
    expect([call?.method, call?.path, Object.fromEntries(new URLSearchParams(String(call?.body)))]).toEqual([
      'POST',
      '/',
      {
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        RoleArn: 'arn:aws:iam::1:role/mailer',
        RoleSessionName: 'mail',
        WebIdentityToken: 'ey.J.w',
      },
    ]);
  });

  test.each([
    { AWS_ENDPOINT_URL_STS: 'http://192.0.2.1' },
    { AWS_ENDPOINT_URL_STS: '', AWS_ENDPOINT_URL: 'http://sts.test' },
  ])('is not sent in the clear: %o', async (variables) => {
    expect(await found({ ...identity(), ...variables })).toMatch(
      /^invalid-credentials: AWS: AWS_ENDPOINT_URL_STS must begin with https:/,
    );
  });

  test('a refusal is told without the token', async () => {
    const message = 'Not authorized to perform sts:AssumeRoleWithWebIdentity';
    server.script = () => ({ status: 403, body: `<Error><Message>${message}</Message><T>ey.J.w</T></Error>` });
    const text = await found(identity());
    expect(text).toMatch(
      /^invalid-credentials: AWS: the role that AWS_ROLE_ARN names has no credentials: it answers 403 Not/,
    );
    expect(text).not.toContain('ey.J.w');
    expect(await found({ ...identity(), AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'gone') })).toMatch(
      /^invalid-credentials: AWS: the file of a token cannot be read: ENOENT/,
    );
  });
});
