import { ConfigurationError, EmailConnectionError } from '../model/errors.ts';
import { isLoopback } from '../net/loopback.ts';
import { type HttpRequest, NoAnswer, type Transport } from '../net/transport.ts';
import type { Environment } from '../options/environment.ts';
import { Deadline } from '../util/deadline.ts';
import { parseObject } from '../util/json.ts';
import { reasonOf } from '../util/reason.ts';
import type { AwsCredentials } from './credentials.ts';

/** Endpoints beside a program answer at once; one that does not is not there. */
const NEAR_MS = 1_000;
const FAR_MS = 10_000;
/** Where ECS and EKS have their endpoints. */
const CONTAINER_HOST = /^(?:169\.254\.170\.(?:2|23)|\[fd00:ec2::23\])$/;

type Ask = Pick<HttpRequest, 'url'> & Partial<Pick<HttpRequest, 'method' | 'headers' | 'body'>>;

/** Sources of credentials that are asked over HTTP. */
export class MetadataSources {
  readonly #transport: Transport;
  readonly #env: Environment;

  constructor(transport: Transport, env: Environment) {
    this.#transport = transport;
    this.#env = env;
  }

  /**
   * The role of a task of ECS or of a pod of EKS; null where there is none
   * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
   */
  async container(): Promise<AwsCredentials | null> {
    const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = this.#env;
    if (!path && !full) return null;
    const url = path ? `http://169.254.170.2${path}` : String(full);
    if (!URL.canParse(url) || !mayHaveToken(new URL(url)))
      throw unusable('AWS_CONTAINER_CREDENTIALS_FULL_URI must begin with https://, or be of this machine');
    const { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file, AWS_CONTAINER_AUTHORIZATION_TOKEN: token } = this.#env;
    const authorization = file ? readToken(file) : token;
    const what = "the container's endpoint";
    const headers = { ...(authorization && { authorization }) };
    return credentialsOf(what, parseObject(await this.#ask(what, { url, headers }, NEAR_MS)) ?? {});
  }

  /**
   * The role of an instance of EC2, by IMDSv2; null where there is none
   * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html).
   */
  async instance(): Promise<AwsCredentials | null> {
    if (this.#env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return null;
    const isV6 = this.#env['AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE']?.toLowerCase() === 'ipv6';
    const given = this.#env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
    const base = (given || (isV6 ? 'http://[fd00:ec2::254]' : 'http://169.254.169.254')).replace(/\/+$/, '');
    const what = 'the metadata of the instance';
    let token: string;
    try {
      const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' };
      token = await this.#ask(what, { method: 'PUT', url: `${base}/latest/api/token`, headers }, NEAR_MS);
    } catch (error) {
      if (error instanceof EmailConnectionError) return null; // this is no instance
      throw error;
    }
    const roles = `${base}/latest/meta-data/iam/security-credentials/`;
    const headers = { 'x-aws-ec2-metadata-token': token };
    const role = (await this.#ask(what, { url: roles, headers }, NEAR_MS)).split('\n', 1)[0]?.trim();
    if (!role) return null;
    return credentialsOf(what, parseObject(await this.#ask(what, { url: roles + role, headers }, NEAR_MS)) ?? {});
  }

  /**
   * A role by the token of a web identity; null where there is none
   * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
   */
  async webIdentity(endpoint: string): Promise<AwsCredentials | null> {
    const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role, AWS_ROLE_SESSION_NAME: session } = this.#env;
    if (!file || !role) return null;
    if (!mayHaveToken(new URL(endpoint)))
      throw unusable('AWS_ENDPOINT_URL_STS must begin with https://, or be of this machine, as a token is sent there');
    const body = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: role,
      RoleSessionName: session || `amsdal-mail-${Date.now()}`,
      WebIdentityToken: readToken(file),
    }).toString();
    const what = 'the role that AWS_ROLE_ARN names';
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const xml = await this.#ask(what, { method: 'POST', url: endpoint, headers, body }, FAR_MS);
    const part = (name: string): string | undefined => new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1];
    return credentialsOf(what, {
      AccessKeyId: part('AccessKeyId'),
      SecretAccessKey: part('SecretAccessKey'),
      Token: part('SessionToken'),
      Expiration: part('Expiration'),
    });
  }

  /** @throws {EmailConnectionError} when it does not answer; {@link ConfigurationError} `invalid-credentials` when it says no. */
  async #ask(what: string, { method = 'GET', url, headers = {}, body = null }: Ask, ms: number): Promise<string> {
    const deadline = new Deadline(ms, undefined);
    try {
      const { status, text } = await this.#transport.send({ method, url, headers, body }, deadline);
      if (status === 200 && text !== null) return text;
      if (status >= 500 || status === 429 || text === null) throw unreachable(what, `it answers ${status}`);
      throw unusable(`${what} has no credentials: it answers ${status} ${firstWords(text)}`);
    } catch (error) {
      if (error instanceof NoAnswer) throw unreachable(what, reasonOf(error.cause), error.cause);
      throw error;
    } finally {
      deadline.clear();
    }
  }
}

/** Whether a token may be sent there: by TLS, or to where nobody listens. */
function mayHaveToken(url: URL): boolean {
  return (
    url.protocol === 'https:' || (url.protocol === 'http:' && (isLoopback(url) || CONTAINER_HOST.test(url.hostname)))
  );
}

function credentialsOf(what: string, said: Readonly<Record<string, unknown>>): AwsCredentials {
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken, Expiration } = said;
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string')
    throw unusable(`the answer of ${what} has no keys in it`);
  const end = new Date(String(Expiration));
  return {
    accessKeyId,
    secretAccessKey,
    ...(typeof sessionToken === 'string' && { sessionToken }),
    ...(!Number.isNaN(end.getTime()) && { expiration: end }),
  };
}

function readToken(file: string): string {
  try {
    return process.getBuiltinModule('node:fs').readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw unusable(`the file of a token cannot be read: ${reasonOf(cause)}`, cause);
  }
}

/** An answer may repeat the request, token included, further down. */
function firstWords(text: string): string {
  return (/<Message>([^<]+)</.exec(text)?.[1] ?? '').slice(0, 200);
}

function unusable(text: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError('invalid-credentials', `AWS: ${text}`, { cause });
}

function unreachable(what: string, reason: string, cause?: unknown): EmailConnectionError {
  const text = `no credentials from ${what}: ${reason}`;
  return new EmailConnectionError('connection', text, { phase: 'auth', retryable: true, cause });
}
