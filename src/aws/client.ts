import { ConfigurationError } from '../model/errors.ts';
import { type Body, type HttpAnswer, NoAnswer, SHORT_TEXT, type Transport } from '../net/transport.ts';
import { transportOf } from '../net/transport-of.ts';
import { currentEnvironment } from '../options/environment.ts';
import type { Deadline } from '../util/deadline.ts';
import { parseObject } from '../util/json.ts';
import { unlessAborted } from '../util/unless-aborted.ts';
import { findCredentials } from './credential-chain.ts';
import { type AwsCredentials, Credentials } from './credentials.ts';
import { type AwsService, endpointOf } from './endpoint.ts';
import { type AwsKeys, Signer } from './signature.ts';

/** Why a request was certainly not carried out, as `cause`. */
export class UnsentError extends Error {
  constructor(cause: unknown) {
    super('the request was not handed over', { cause });
  }
}

/** What a service says no with, in the shape that errors of the SDKs have. */
export class AwsError extends Error {
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number; readonly clockSkewCorrected: boolean };

  /** @param isMended whether the same request may go well now */
  constructor(name: string, text: string, status: number, isMended = false) {
    super(text);
    this.name = name;
    this.$metadata = { httpStatusCode: status, clockSkewCorrected: isMended };
  }
}

/** Where requests go, and who makes them. */
export interface AwsClientOptions {
  readonly region: string;
  /** Default: that of the service, or what the environment says. */
  readonly endpoint: string | undefined;
  /** The id of a multi-region endpoint. */
  readonly multiRegionId: string | undefined;
  /** Default: they are looked for. */
  readonly credentials: AwsCredentials | (() => Promise<AwsCredentials>) | null;
  /** How long a connection that idles is kept, in milliseconds. */
  readonly idleMs: number;
}

/** AWS takes signatures of clocks that are off by this much. */
const CLOCK_SKEW_MS = 300_000;

/** Makes signed requests to a service of AWS that speaks JSON (https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html). */
export class AwsClient {
  readonly #endpoint: string;
  readonly #transport: Transport;
  readonly #credentials: Credentials;
  readonly #signer: Signer;
  #clockMs = 0;

  /** @throws {ConfigurationError} `invalid-option` for an endpoint that is no URL. */
  constructor(service: AwsService, { region, endpoint, multiRegionId, credentials, idleMs }: AwsClientOptions) {
    const url = endpoint ?? endpointOf(service, region, multiRegionId, currentEnvironment());
    if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
      const text = `AWS: the address of ${service.name} must be a URL such as 'https://email.eu-west-1.amazonaws.com': correct the option endpoint, or AWS_ENDPOINT_URL`;
      throw new ConfigurationError('invalid-option', text, { option: 'endpoint' });
    }
    const transport = transportOf({ idleMs });
    this.#endpoint = url.replace(/\/+$/, '');
    this.#transport = transport;
    this.#credentials = new Credentials(credentials ?? (() => findCredentials(transport, region)));
    this.#signer = new Signer({ region: multiRegionId === undefined ? region : null, service: service.name });
  }

  /**
   * Makes one request, once.
   *
   * @throws {UnsentError} when it was certainly not carried out; {@link AwsError}; {@link NoAnswer} when nobody knows.
   */
  async send(method: 'GET' | 'POST', path: string, given: Body, end: AbortSignal | Deadline): Promise<object> {
    const isLong = typeof given === 'string' && given.length >= SHORT_TEXT;
    const body = isLong ? [Buffer.from(given)] : given; // once, to be hashed and sent
    let keys: AwsKeys;
    let answer: HttpAnswer;
    let clockMs = 0;
    try {
      // A function that fetches credentials is not told of the deadline.
      keys = await unlessAborted(this.#credentials.get(), end);
      const url = this.#endpoint + path;
      const known = { 'content-type': 'application/json', 'user-agent': 'amsdal-mail' };
      clockMs = this.#clockMs;
      const now = new Date(Date.now() + clockMs);
      const headers = this.#signer.sign({ method, url, headers: known, body }, keys, now);
      answer = await this.#transport.send({ method, url, headers, body: given === '' ? null : body }, end);
    } catch (error) {
      // A transport throws anything else only before it begins.
      throw error instanceof NoAnswer && error.isSent ? error : new UnsentError(error);
    }
    return this.#read(answer, keys, clockMs);
  }

  close(): void {
    this.#transport.close();
  }

  #read({ status, headers, text }: HttpAnswer, keys: AwsKeys, clockMs: number): object {
    const body = text === null ? null : parseObject(text);
    if (status < 300 && body !== null)
      return { $metadata: { httpStatusCode: status, requestId: headers['x-amzn-requestid'] }, ...body };
    if (status < 300) throw new AwsError('', text === null ? 'its answer broke off' : 'its answer is no JSON', status);
    const type = headers['x-amzn-errortype'] ?? body?.['__type'] ?? body?.['code'];
    const name = typeof type === 'string' ? firstLine(type).replace(/^.*#|[:,].*$/g, '') : 'Unknown';
    const said = body?.['message'] ?? body?.['Message'];
    const isMended =
      this.#correctClock(headers['date'], clockMs) || (/^Expired/.test(name) && this.#credentials.drop(keys));
    throw new AwsError(name, typeof said === 'string' ? firstLine(said) : '', status, isMended);
  }

  /**
   * Whether the clock was off, by what an answer says of the time.
   *
   * @param clockMs what the request was signed with; another one's answer may have corrected it since
   */
  #correctClock(date: string | undefined, clockMs: number): boolean {
    const offMs = Date.parse(date ?? '') - Date.now();
    const isOff = (ms: number): boolean => Math.abs(offMs - ms) > CLOCK_SKEW_MS; // NaN is not
    if (isOff(this.#clockMs)) this.#clockMs = offMs;
    return isOff(clockMs);
  }
}

/** To a wrong signature AWS answers with the whole request that it expected, session token included, on the following lines. */
export function firstLine(text: string): string {
  return text.slice(0, 500).split('\n', 1)[0] ?? '';
}
