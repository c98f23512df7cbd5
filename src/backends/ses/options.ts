import { BACKEND_OPTIONS, type BackendOptions, RETRY_OPTION } from '../../backend/backend.ts';
import { type DkimKey, type DkimOptions, readDkimKeys } from '../../mime/compose/dkim-keys.ts';
import { DKIM_OPTION } from '../../mime/compose/dkim-option.ts';
import { ConfigurationError } from '../../model/errors.ts';
import type { AnyOptionTable, OptionTable } from '../../options/option-table.ts';
import { type RetryOptions, resolveRetry } from '../../util/backoff.ts';
import { isObject } from '../../util/json.ts';
import type { SesClientLike } from './sdk.ts';

/** Keys of an AWS account. */
export interface SesCredentials {
  /** The id of the key. */
  readonly accessKeyId: string;
  /** The key itself; never shown. */
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
  /** When they end; a function is asked for new ones five minutes before. Default: never. */
  readonly expiration?: Date;
}

/** The contact list, and its topic, whose unsubscribe links SES puts into a mail. */
export interface SesListManagement {
  /** The name of the contact list. */
  readonly contactList: string;
  /** The topic of the list; default: all of them. */
  readonly topic?: string;
}

/** Options of {@link SesBackend}. Of `client`, `credentials` and a key pair the first that is given counts; without any, keys are looked for. */
export interface SesOptions extends BackendOptions {
  /** Default: what AWS_REGION or AWS_DEFAULT_REGION says, else `us-east-1`. */
  readonly region?: string;
  /** Default: what AWS_ACCESS_KEY_ID says, else they are looked for: in a profile, and where containers and instances have them. */
  readonly accessKeyId?: string;
  /** Goes with `accessKeyId`. */
  readonly secretAccessKey?: string;
  /** Goes with temporary keys. */
  readonly sessionToken?: string;
  /** Keys, or a function that fetches them. */
  readonly credentials?: SesCredentials | (() => Promise<SesCredentials>);
  /** A ready `SESv2Client` of `@aws-sdk/client-sesv2`; region, endpoint, credentials, `idleMs` and sockets are its own then, and it is never destroyed. */
  readonly client?: SesClientLike;
  /** Another address of the service, as `http://127.0.0.1:8005`. */
  readonly endpoint?: string;
  /** The configuration set of every mail. */
  readonly configurationSet?: string;
  /** The ARN of the identity that authorizes the sender (FromEmailAddressIdentityArn). */
  readonly identityArn?: string;
  /** The ARN of the identity that authorizes `envelopeSender` (FeedbackForwardingEmailAddressIdentityArn). */
  readonly feedbackIdentityArn?: string;
  /** Not with `mergeData`: bulk requests have no such parameter. */
  readonly listManagement?: SesListManagement;
  /** The tenant the mails are sent for (TenantName). */
  readonly tenant?: string;
  /** A multi-region endpoint (EndpointId); requests are signed for every region then. */
  readonly endpointId?: string;
  /** Parameters of the request under the API's own names, laid over everything else. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Signs raw messages (no templates), all but Message-ID and Date, which SES writes anew; several make several signatures. */
  readonly dkim?: DkimOptions | readonly DkimOptions[];
  /** Writes tags and metadata as X-Tag and X-Metadata headers too, where readers can see them; default false. */
  readonly tagHeaders?: boolean;
  /** Recipients a second; default: the account's own rate, asked once. Give less when others use the account too. */
  readonly ratePerSecond?: number;
  /** Requests under way at once, and sockets; default 50. */
  readonly maxConnections?: number;
  /** How long one request may take, in milliseconds; default 60,000. */
  readonly timeoutMs?: number;
  /** How long an idle socket is kept, in milliseconds: below the server's own limit, or it may close while it is used; default 4,000. */
  readonly idleMs?: number;
  /** Of a request that never reached SES, and of an entry of a bulk request that failed for the moment. What SES throttles is held back, and that is no try. */
  readonly retry?: RetryOptions;
}

const HELD_BACK_MS = 60_000;
const DEFAULT_REGION = 'us-east-1';
/** Half of them from one place and half from another make no pair. */
const KEYS = ['accessKeyId', 'secretAccessKey', 'sessionToken'];

/** {@link SesOptions}, complete. */
export interface ResolvedSesOptions extends Omit<SesOptions, 'dkim'> {
  readonly dkim: readonly DkimKey[] | null;
  readonly region: string;
  readonly maxConnections: number;
  readonly timeoutMs: number;
  readonly idleMs: number;
  readonly retry: Required<RetryOptions>;
  /** How long what SES throttles is held back in the hope that it lets go, in milliseconds. */
  readonly heldBackMs: number;
}

/** What {@link SesOptions} may hold. */
export const SES_OPTIONS: AnyOptionTable = /* @__PURE__ */ (() =>
  ({
    ...BACKEND_OPTIONS,
    region: {
      type: 'custom',
      expected: "a region such as 'eu-west-1'",
      check: (value) => typeof value === 'string' && /^(?:[a-z0-9]+(?:-[a-z0-9]+)*)?$/i.test(value),
      parse: (text) => text,
      variable: [
        { name: 'AWS_DEFAULT_REGION', example: 'eu-west-1' },
        { name: 'AWS_REGION', example: 'eu-west-1' },
      ],
      urlPart: 'host',
      default: ({ client }) => (client === undefined ? DEFAULT_REGION : undefined),
    },
    accessKeyId: {
      type: 'string',
      variable: { name: 'AWS_ACCESS_KEY_ID', example: 'AKIAIOSFODNN7EXAMPLE' },
      urlPart: 'username',
      replaces: KEYS,
    },
    secretAccessKey: {
      type: 'string',
      secret: true,
      variable: { name: 'AWS_SECRET_ACCESS_KEY', example: 'the secret key' },
      urlPart: 'password',
      replaces: KEYS,
    },
    sessionToken: {
      type: 'string',
      secret: true,
      variable: { name: 'AWS_SESSION_TOKEN', example: 'the session token' },
      replaces: KEYS,
    },
    credentials: {
      type: 'custom',
      expected: 'an object with accessKeyId and secretAccessKey, or a function that fetches one',
      check: (value) =>
        typeof value === 'function' ||
        (isObject(value) && typeof value['accessKeyId'] === 'string' && typeof value['secretAccessKey'] === 'string'),
      secret: true,
    },
    client: {
      type: 'custom',
      expected: 'an SESv2Client of @aws-sdk/client-sesv2',
      check: (value) => isObject(value) && typeof value['send'] === 'function',
    },
    endpoint: {
      type: 'custom',
      expected: "a URL such as 'https://email.eu-west-1.amazonaws.com'",
      check: (value) => typeof value === 'string' && /^https?:\/\/./.test(value),
      parse: (text) => text,
    },
    configurationSet: {
      type: 'custom',
      expected: "up to 64 letters, digits, '_' and '-'",
      check: (value) => typeof value === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(value),
      parse: (text) => text,
      variable: { name: 'AWS_SES_CONFIGURATION_SET', example: 'marketing' },
    },
    identityArn: { type: 'string' },
    feedbackIdentityArn: { type: 'string' },
    listManagement: {
      type: 'object',
      fields: { contactList: { type: 'string' }, topic: { type: 'string' } } satisfies OptionTable<SesListManagement>,
    },
    tenant: { type: 'string' },
    endpointId: { type: 'string' },
    extra: { type: 'custom', expected: 'an object of request parameters', check: isObject },
    dkim: DKIM_OPTION,
    tagHeaders: { type: 'boolean' },
    ratePerSecond: { type: 'integer', min: 1 },
    maxConnections: { type: 'integer', min: 1, max: 1_000 },
    timeoutMs: { type: 'integer', min: 1, max: 2_147_483_647 },
    idleMs: { type: 'integer', min: 1, max: 600_000 },
    retry: RETRY_OPTION,
  }) satisfies OptionTable<SesOptions>)();

/** @throws {ConfigurationError} `invalid-key`; `missing-option` for half a key pair. */
export function resolveSesOptions(options: SesOptions): ResolvedSesOptions {
  checkKeys(options);
  return {
    ...options,
    dkim: options.dkim ? readDkimKeys(options.dkim) : null,
    region: options.region || DEFAULT_REGION,
    maxConnections: options.maxConnections ?? 50,
    timeoutMs: options.timeoutMs ?? 60_000,
    idleMs: options.idleMs ?? 4_000,
    retry: resolveRetry(options.retry),
    heldBackMs: options.deadlineMs ?? HELD_BACK_MS,
  };
}

function checkKeys({ client, credentials, accessKeyId, secretAccessKey, sessionToken }: SesOptions): void {
  if (client !== undefined || credentials !== undefined) return; // which win over what the environment may have
  const missing = [
    ...(accessKeyId ? [] : ['accessKeyId (AWS_ACCESS_KEY_ID)']),
    ...(secretAccessKey ? [] : ['secretAccessKey (AWS_SECRET_ACCESS_KEY)']),
  ];
  const [option, beside] = accessKeyId ? ['secretAccessKey', 'accessKeyId'] : ['accessKeyId', 'secretAccessKey'];
  const given = [accessKeyId, secretAccessKey, sessionToken].some((value) => Boolean(value));
  if (given && missing.length > 0) {
    throw new ConfigurationError(
      'missing-option',
      `ses: half a key pair: ${missing.join(' and ')} is missing; give both, or neither to have them looked for`,
      { option, otherOptions: [beside, 'sessionToken'] },
    );
  }
}
