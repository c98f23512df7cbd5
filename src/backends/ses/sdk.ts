import { ConfigurationError } from '../../model/errors.ts';
import { optionalRequire } from '../../options/optional-package.ts';
import { reasonOf } from '../../util/reason.ts';
import { unlessAborted } from '../../util/unless-aborted.ts';
import { CREDENTIALS_FUNCTION } from './failures.ts';
import type { ResolvedSesOptions, SesCredentials } from './options.ts';

/** The part of an `SESv2Client` of `@aws-sdk/client-sesv2` that is used here. */
export interface SesClientLike {
  /** Makes the request of one of the SDK's commands. */
  send(command: object, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
  /** Closes its sockets. */
  destroy?(): void;
}

interface MiddlewareStack {
  add(middleware: <T>(next: (args: T) => unknown) => (args: T) => unknown, options: object): void;
}

/** A command of the SDK, ready to be sent. */
interface SesCommand {
  readonly middlewareStack: MiddlewareStack;
}

type CommandClass = new (input: never) => SesCommand;

/** The exports of `@aws-sdk/client-sesv2` that are used here. */
export interface SesSdk {
  readonly SESv2Client: new (config: never) => SesClientLike;
  readonly SendEmailCommand: CommandClass;
  readonly SendBulkEmailCommand: CommandClass;
  readonly GetAccountCommand: CommandClass;
}

/** The requests that are made, by the names of the API. */
export type Operation = 'SendEmail' | 'SendBulkEmail' | 'GetAccount';

const PACKAGE = '@aws-sdk/client-sesv2';
const CONNECT_TIMEOUT_MS = 5_000;

/** Why a request failed before it was handed to the HTTP client, as `cause`. */
export class UnsentError extends Error {
  constructor(cause: unknown) {
    super('the request was not handed over', { cause });
  }
}

/** Makes requests with the SDK; the only part of the backend that knows it, but for its errors. */
export class SesClient {
  readonly #sdk: SesSdk;
  readonly #client: SesClientLike;
  readonly #parameters: Readonly<Record<Exclude<Operation, 'GetAccount'>, ReadonlySet<unknown>>>;
  /** Whether the client was made here, so that its time limits are known. */
  readonly isOwn: boolean;

  private constructor(sdk: SesSdk, client: SesClientLike, isOwn: boolean) {
    this.#sdk = sdk;
    this.#client = client;
    this.isOwn = isOwn;
    this.#parameters = { SendEmail: parametersOf(sdk, 'SendEmail'), SendBulkEmail: parametersOf(sdk, 'SendBulkEmail') };
  }

  /** @throws {ConfigurationError} `missing-dependency` when the SDK is not installed. */
  static open(options: ResolvedSesOptions): SesClient {
    const sdk = optionalRequire<SesSdk>(PACKAGE, "the backend 'ses'");
    // It registers itself for the signatures that multi-region endpoints need.
    if (options.endpointId !== undefined) optionalRequire('@aws-sdk/signature-v4a', "the ses option 'endpointId'");
    return options.client
      ? new SesClient(sdk, options.client, false)
      : new SesClient(sdk, makeClient(sdk, options), true);
  }

  /** @throws {ConfigurationError} `unknown-option` for a parameter that the installed SDK would silently drop. */
  check(operation: Exclude<Operation, 'GetAccount'>, input: object): void {
    for (const parameter of Object.keys(input)) {
      if (this.knows(operation, parameter)) continue;
      const text = `ses: ${operation} has no parameter ${parameter} in the installed ${PACKAGE}, which would drop it: correct the options, or update the package`;
      throw new ConfigurationError('unknown-option', text);
    }
  }

  /**
   * Sends one request, once: the SDK's own retries would repeat requests that may have been carried out.
   *
   * @throws {UnsentError} when the request never left; after any other error it may have been carried out.
   */
  async send(operation: Operation, input: object, abortSignal: AbortSignal): Promise<unknown> {
    const command = new this.#sdk[`${operation}Command`](input as never); // the classes differ in their input alone
    let isBegun = false;
    let isHandedOver = false;
    const onStep = (note: () => void, options: object) =>
      command.middlewareStack.add(
        (next) => async (args) => {
          note();
          return next(args);
        },
        options,
      );
    onStep(() => {}, { name: 'retryMiddleware', step: 'finalizeRequest', priority: 'high', override: true });
    onStep(
      () => {
        isBegun = true;
      },
      { step: 'initialize', priority: 'high' },
    );
    onStep(
      () => {
        abortSignal.throwIfAborted();
        isHandedOver = true;
      },
      { step: 'deserialize', priority: 'low' }, // the last one before the HTTP client
    );
    try {
      // A function that fetches credentials is not given the signal.
      return await unlessAborted(this.#client.send(command, { abortSignal }), abortSignal);
    } catch (cause) {
      // A client that ran no step is not the SDK's, and may have sent in some other way.
      throw isBegun && !isHandedOver ? new UnsentError(cause) : cause;
    }
  }

  /** Whether the installed SDK carries a parameter. */
  knows(operation: Exclude<Operation, 'GetAccount'>, parameter: string): boolean {
    return this.#parameters[operation].has(parameter);
  }

  close(): void {
    if (this.isOwn) this.#client.destroy?.();
  }
}

/** The parameters of a request, from the schema that the SDK serializes it with: [kind, namespace, name, traits, members, ...]. */
function parametersOf(sdk: SesSdk, operation: Operation): ReadonlySet<unknown> {
  const schema: unknown = Reflect.get(sdk, `${operation}Request$`);
  const members: unknown = Array.isArray(schema) ? schema[4] : undefined;
  return new Set(Array.isArray(members) ? members : []);
}

function makeClient(sdk: SesSdk, options: ResolvedSesOptions): SesClientLike {
  const { region, endpoint, maxConnections, idleMs, timeoutMs } = options;
  const agent = { keepAlive: true, maxSockets: maxConnections, timeout: idleMs };
  const config = {
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...credentialsOf(options),
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: Math.min(CONNECT_TIMEOUT_MS, Math.ceil(timeoutMs / 2)),
      socketTimeout: 0, // each request has its own deadline
      httpsAgent: agent,
      httpAgent: agent,
    },
  };
  return new sdk.SESv2Client(config as never); // its type would have to come from the package
}

function credentialsOf({ credentials, accessKeyId, secretAccessKey, sessionToken }: ResolvedSesOptions): object {
  // The SDK writes into the object it is given.
  if (typeof credentials === 'object') return { credentials: { ...credentials } };
  if (credentials !== undefined) return { credentials: () => fetchCredentials(credentials) };
  if (!accessKeyId) return {};
  return { credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } };
}

/** Marks the function's errors, to tell them from those of the SDK. */
async function fetchCredentials(credentials: () => Promise<SesCredentials>): Promise<SesCredentials> {
  try {
    return await credentials();
  } catch (cause) {
    const text = reasonOf(cause);
    throw Object.assign(new Error(text, { cause }), { name: CREDENTIALS_FUNCTION });
  }
}
