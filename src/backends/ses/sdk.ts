import { AwsError, firstLine, UnsentError } from '../../aws/client.ts';
import { ConfigurationError } from '../../model/errors.ts';
import { CERTIFICATE_CODE, NETWORK_CODES, systemCode } from '../../net/network-code.ts';
import { NoAnswer } from '../../net/transport.ts';
import { optionalRequire } from '../../options/optional-package.ts';
import type { Deadline } from '../../util/deadline.ts';
import { unlessAborted } from '../../util/unless-aborted.ts';
import type { SesClient } from './client.ts';
import type { ServiceError } from './failures.ts';
import type { Operation, SendEmailRequest, Template } from './requests.ts';

/** The part of an `SESv2Client` of `@aws-sdk/client-sesv2` that is used here. */
export interface SesClientLike {
  /** Makes the request of one of the SDK's commands. */
  send(command: object, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
}

/** A command of the SDK, ready to be sent. */
interface SesCommand {
  readonly middlewareStack: {
    add(middleware: <T>(next: (args: T) => unknown) => (args: T) => unknown, options: object): void;
  };
}

type CommandClass = new (input: never) => SesCommand;

/** The exports of `@aws-sdk/client-sesv2` that are used here. */
export interface SesSdk {
  readonly SendEmailCommand: CommandClass;
  readonly SendBulkEmailCommand: CommandClass;
  readonly GetAccountCommand: CommandClass;
}

const PACKAGE = '@aws-sdk/client-sesv2';
const TRACKING = 'ConfigurationOverrides';

/** Makes requests with a client of the SDK that was given. */
export class SdkClient implements SesClient {
  readonly #client: SesClientLike;
  readonly #sdk: SesSdk;

  /** @throws {ConfigurationError} `missing-dependency` when the SDK is not installed. */
  constructor(client: SesClientLike) {
    this.#client = client;
    this.#sdk = optionalRequire<SesSdk>(PACKAGE, "the ses option 'client'");
  }

  get tracking(): true | string {
    return this.#parameters('SendEmail').has(TRACKING) || `needs ${PACKAGE} 3.1125.0`;
  }

  /** The SDK's own retries would repeat requests that may have been carried out: they are left out. */
  async send(operation: Operation, input: object, deadline: Deadline): Promise<unknown> {
    const abortSignal = deadline.signal;
    this.#check(operation, input);
    const command = new this.#sdk[`${operation}Command`](withBytes(input) as never); // the classes differ in their input alone
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
      const error = abortSignal.aborted ? cause : translated(cause);
      // A client that ran no step is not the SDK's, and may have sent in some other way.
      throw isBegun && !isHandedOver && !(error instanceof UnsentError) ? new UnsentError(error) : error;
    }
  }

  close(): void {}

  /** @throws {UnsentError} for a parameter that the installed SDK would silently drop. */
  #check(operation: Operation, input: object): void {
    const dropped = Object.keys(input).find((name) => !this.#parameters(operation).has(name));
    if (dropped === undefined) return;
    const text = `ses: ${operation} has no parameter ${dropped} in the installed ${PACKAGE}, which would drop it: correct the options, or update the package`;
    throw new UnsentError(new ConfigurationError('unknown-option', text));
  }

  /** The parameters of a request, from the schema that the SDK serializes it with: [kind, namespace, name, traits, members, ...]. */
  #parameters(operation: Operation): ReadonlySet<unknown> {
    const schema: unknown = Reflect.get(this.#sdk, `${operation}Request$`);
    const members: unknown = Array.isArray(schema) ? schema[4] : undefined;
    return new Set(Array.isArray(members) ? members : []);
  }
}

/** The SDK writes bytes in base64 itself. */
function withBytes(input: object): object {
  const { Content, DefaultContent } = input as Partial<
    SendEmailRequest & { readonly DefaultContent: { readonly Template: Template } }
  >;
  if (Content && 'Raw' in Content) return { ...input, Content: { Raw: { Data: Content.Raw.Data.bytes } } };
  const decoded = (template: Template | undefined) =>
    template?.Attachments && {
      ...template,
      Attachments: template.Attachments.map((file) => ({ ...file, RawContent: file.RawContent.bytes })),
    };
  const own = decoded(Content?.Template);
  const shared = decoded(DefaultContent?.Template);
  return {
    ...input,
    ...(own && { Content: { Template: own } }),
    ...(shared && { DefaultContent: { Template: shared } }),
  };
}

/** The parts of errors of the SDK and of Node that are read here. */
interface SdkError extends ServiceError {
  readonly code?: unknown;
  readonly syscall?: unknown;
  /** One error for each address that was tried. */
  readonly errors?: unknown;
}

const CREDENTIALS = new Set(['CredentialsProviderError', 'TokenProviderError', 'ProviderError']);
const NO_REGION = /^Region (?:is missing|not accepted)/;
const TLS = /^(?:ERR_SSL_|EPROTO$)/;

/** An error without an answer of the service, as our own client would have it; any other as it is. */
function translated(cause: unknown): unknown {
  if (typeof cause !== 'object' || cause === null) return cause;
  const error: SdkError = cause;
  const text = String(error.message);
  if (NO_REGION.test(text)) {
    const advice = `ses: ${text}: make the client with a region, as new SESv2Client({ region: 'eu-west-1' })`;
    return new UnsentError(new ConfigurationError('invalid-option', advice, { cause }));
  }
  if (CREDENTIALS.has(String(error.name))) {
    const advice = `ses: the client has no credentials (${text}): make it with some`;
    return new UnsentError(new ConfigurationError('invalid-credentials', advice, { cause }));
  }
  const { httpStatusCode: status, clockSkewCorrected = false } = error.$metadata ?? {};
  if (status !== undefined)
    return text.includes('\n') ? new AwsError(String(error.name), firstLine(text), status, clockSkewCorrected) : cause;
  const attempts: readonly SdkError[] = Array.isArray(error.errors) ? [error, ...error.errors] : [error];
  if (attempts.some(isUnconnected)) return new UnsentError(new NoAnswer(cause, false));
  // To the SDK, a connection that was reset is a TimeoutError.
  const isReset = error.name === 'TimeoutError' && error.code !== undefined;
  const isNetwork = error.code !== undefined || error.name === 'TimeoutError';
  return isNetwork ? new NoAnswer(isReset ? new Error(text, { cause }) : cause, true) : cause;
}

function isUnconnected(attempt: SdkError): boolean {
  const system = systemCode(attempt);
  // All others can also end a connection that has carried the request.
  const isNever = TLS.test(system) || CERTIFICATE_CODE.test(system) || system === 'ECONNREFUSED';
  return attempt.syscall === 'connect' || isNever || NETWORK_CODES[system] === 'dns';
}
