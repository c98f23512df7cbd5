import { AwsClient, UnsentError } from '../../aws/client.ts';
import type { AwsCredentials } from '../../aws/credentials.ts';
import { encodeJson, jsonOf } from '../../http/json.ts';
import { ConfigurationError } from '../../model/errors.ts';
import type { Deadline } from '../../util/deadline.ts';
import { reasonOf } from '../../util/reason.ts';
import type { ResolvedSesOptions } from './options.ts';
import { type Operation, PARAMETERS } from './requests.ts';

/** What makes requests of the API v2. */
export interface SesClient {
  /** True when it carries `trackOpens` and `trackClicks`; else what that needs. */
  readonly tracking: true | string;
  /**
   * Makes one request, once.
   *
   * @throws {UnsentError} when it was certainly not carried out; after any other error it may have been.
   */
  send(operation: Operation, input: object, deadline: Deadline): Promise<unknown>;
  /** Closes its sockets. */
  close(): void;
}

/** The requests (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Operations.html). */
const REQUESTS = {
  SendEmail: ['POST', '/v2/email/outbound-emails'],
  SendBulkEmail: ['POST', '/v2/email/outbound-bulk-emails'],
  GetAccount: ['GET', '/v2/email/account'],
} as const;
const SERVICE = { name: 'ses', host: 'email', variable: 'SESV2' } as const;

/** Makes them over HTTP. */
export class SesHttpClient implements SesClient {
  readonly tracking = true;
  readonly #client: AwsClient;

  constructor(options: ResolvedSesOptions) {
    const { region, endpoint, endpointId: multiRegionId, idleMs } = options;
    const credentials = credentialsOf(options);
    this.#client = new AwsClient(SERVICE, { region, endpoint, multiRegionId, credentials, idleMs });
  }

  async send(operation: Operation, input: object, deadline: Deadline): Promise<unknown> {
    const [method, path] = REQUESTS[operation];
    if (operation === 'GetAccount') return this.#client.send(method, path, '', deadline);
    const dropped = Object.keys(input).find((name) => !PARAMETERS[operation].has(name));
    if (dropped === undefined) return this.#client.send(method, path, encodeJson(jsonOf(input)).body, deadline);
    const text = `ses: ${operation} has no parameter ${dropped}, which SES would drop: correct the option extra`;
    throw new UnsentError(new ConfigurationError('unknown-option', text, { option: 'extra' }));
  }

  close(): void {
    this.#client.close();
  }
}

/** Null when they are to be looked for. */
function credentialsOf(options: ResolvedSesOptions): AwsCredentials | (() => Promise<AwsCredentials>) | null {
  const { credentials, accessKeyId, secretAccessKey, sessionToken } = options;
  if (credentials === undefined)
    return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken } : null;
  if (typeof credentials === 'object') return credentials;
  return async () => {
    try {
      return await credentials();
    } catch (cause) {
      const text = `ses: the function given as credentials failed: ${reasonOf(cause)}`;
      throw new ConfigurationError('invalid-credentials', text, { cause });
    }
  };
}
