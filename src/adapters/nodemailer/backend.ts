import { BACKEND_OPTIONS, type BackendOptions, EmailBackend, type Verification } from '../../backend/backend.ts';
import { askToCommit } from '../../backend/commit.ts';
import {
  type DeliveryResult,
  endedBefore,
  failedDelivery,
  type Job,
  unreadableContent,
  whileReading,
} from '../../backend/job.ts';
import { composeMessage } from '../../mime/compose/compose.ts';
import type { ComposeOptions } from '../../mime/compose/composition.ts';
import { createDkimSigner } from '../../mime/compose/dkim.ts';
import type { DkimOptions } from '../../mime/compose/dkim-keys.ts';
import { DKIM_OPTION } from '../../mime/compose/dkim-option.ts';
import { generateMessageId } from '../../mime/compose/message-id.ts';
import { addressKey, comparisonKey } from '../../model/address.ts';
import { ConfigurationError, EmailConnectionError } from '../../model/errors.ts';
import type { Feature } from '../../model/features.ts';
import { reversePath, withContentRead } from '../../model/message.ts';
import { type RecipientFacts, type RecipientStatus, recipientStatus } from '../../model/status.ts';
import type { AnyOptionTable, OptionTable } from '../../options/option-table.ts';
import { errorOf, failureOf, type NodemailerFault, refused, replyOf } from './failure.ts';

/** The part of a transporter, made by `nodemailer.createTransport`, that is used. */
export interface NodemailerTransporter {
  /** Sends a mail, given as `raw`, `envelope`, `messageId` and `signal`. */
  sendMail(mail: object): Promise<unknown>;
  /** Connects and logs in; a transport that cannot check anything returns false. */
  verify?(): unknown;
}

/** Options of {@link NodemailerBackend}. */
export interface NodemailerOptions extends BackendOptions {
  /** A transporter made by `nodemailer.createTransport`; remains open when the connection is closed. */
  readonly transport?: NodemailerTransporter;
  /** How many mails to pass to the transport at once; default 5. */
  readonly maxConnections?: number;
  /** Writes tags and metadata as X-Tag and X-Metadata headers; default false. */
  readonly tagHeaders?: boolean;
  /** Signs every message; several make several signatures. */
  readonly dkim?: DkimOptions | readonly DkimOptions[];
}

/** What `transporter.sendMail` resolves to; transports differ in what they report. */
interface SentInfo {
  readonly accepted?: readonly unknown[];
  readonly rejected?: readonly unknown[];
  readonly rejectedErrors?: readonly NodemailerFault[];
  readonly response?: unknown;
}

/**
 * Sends over a Nodemailer transporter, which gets the composed bytes and the envelope.
 *
 * A recipient is `sent` when the transport accepted it, or accepted the mail without reporting recipients. It is `unknown`
 * when it was neither accepted nor rejected, or when the connection was lost.
 */
export class NodemailerBackend extends EmailBackend {
  /** The options of the backend, and how they are checked. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...BACKEND_OPTIONS,
      transport: {
        type: 'custom',
        expected: 'what nodemailer.createTransport(...) returns',
        check: (value) => typeof (value as Partial<NodemailerTransporter> | null)?.sendMail === 'function',
      },
      maxConnections: { type: 'integer', min: 1, max: 1000 },
      tagHeaders: { type: 'boolean' },
      dkim: DKIM_OPTION,
    }) satisfies OptionTable<NodemailerOptions>)();

  readonly name = 'nodemailer';
  /** Without DSN, REQUIRETLS and SMTPUTF8: Nodemailer omits them when the server does not support them. */
  protected readonly features: ReadonlySet<Feature>;
  protected override readonly concurrency: number;
  protected override readonly awaitsCommit = true;
  readonly #transport: NodemailerTransporter;
  readonly #compose: ComposeOptions;

  /** @throws {ConfigurationError} `missing-option` without a transport, `invalid-key` for a bad DKIM key. */
  constructor(options: NodemailerOptions = {}) {
    super(options);
    const { transport, maxConnections = 5, tagHeaders = false, dkim } = options;
    if (transport === undefined) {
      const text = 'the nodemailer backend needs transport: what nodemailer.createTransport(...) returns';
      throw new ConfigurationError('missing-option', text);
    }
    this.#transport = transport;
    this.concurrency = maxConnections;
    this.#compose = { tagHeaders, ...(dkim && { dkim: createDkimSigner(dkim) }) };
    this.features = new Set<Feature>([
      'priority',
      'envelopeSender',
      ...(tagHeaders ? (['tags', 'metadata'] as const) : []),
    ]);
  }

  /**
   * Calls the transport's own `verify`; `details.verified` is false when it has none.
   *
   * @throws {EmailConnectionError | SendError | ConfigurationError} For the error that it reports.
   */
  override async verify(): Promise<Verification> {
    try {
      return { backend: this.name, details: { verified: (await this.#transport.verify?.()) === true } };
    } catch (thrown) {
      const error = errorOf(thrown);
      throw error.outcome === 'unknown'
        ? new EmailConnectionError('connection', error.message, { cause: thrown })
        : error;
    }
  }

  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    const { message, signal } = job;
    const messageId = message.messageId ?? generateMessageId(message);
    const envelope = {
      from: reversePath(message),
      to: message.recipients.map(({ asciiAddress }) => asciiAddress),
    };
    const addresses = new Map(message.recipients.map((mailbox) => [addressKey(mailbox), mailbox.address]));
    const addressOf = (given: unknown) => addresses.get(comparisonKey(given));
    let raw: Uint8Array;
    try {
      raw = composeMessage(await whileReading(withContentRead(message, signal), signal), {
        ...this.#compose,
        messageId,
      });
    } catch (cause) {
      return failedDelivery(job, unreadableContent(cause));
    }
    const withheld = await askToCommit(job);
    if (withheld !== null) return withheld;
    if (signal?.aborted) return failedDelivery(job, endedBefore('the mail was handed to the transport', signal));
    try {
      const given = { raw, envelope, messageId: `<${messageId}>`, ...(signal && { signal }) };
      const info = ((await this.#transport.sendMail(given)) ?? {}) as SentInfo;
      return {
        index: job.index,
        messageId,
        recipients: statusesOf(info, job, messageId, addressOf),
        espResponse: info,
      };
    } catch (thrown) {
      const failure = failureOf(job, thrown, addressOf);
      return failure.error?.outcome === 'unknown' ? { ...failure, messageId } : failure;
    }
  }
}

/** The statuses by the transport's lists; a transport without lists accepted the whole mail. */
function statusesOf(
  { accepted, rejected = [], rejectedErrors = [], response }: SentInfo,
  { message }: Job,
  messageId: string,
  addressOf: (given: unknown) => string | undefined,
): ReadonlyMap<string, RecipientStatus> {
  const reply = replyOf({ response });
  const facts: RecipientFacts = {
    messageId,
    code: reply?.code ?? null,
    enhancedCode: reply?.enhancedCode ?? null,
    response: reply?.text ?? (typeof response === 'string' ? response : null),
  };
  const sent = accepted ?? (rejected.length > 0 ? [] : message.recipients.map(({ asciiAddress }) => asciiAddress));
  const recipients = new Map<string, RecipientStatus>();
  for (const given of sent) {
    const address = addressOf(given);
    if (address !== undefined) recipients.set(address, recipientStatus(address, 'sent', facts));
  }
  for (const given of rejected) {
    const address = addressOf(given);
    const fault = rejectedErrors.find(({ recipient }) => addressOf(recipient) === address);
    if (address !== undefined) recipients.set(address, refused(address, fault));
  }
  return recipients; // a recipient in neither list counts as unknown
}
