import { type AddressInput, AddressSyntaxError, type Group, type Mailbox, parseAddress } from './address.ts';
import type { BackendOptions } from './backend.ts';
import { refusal } from './conclusion.ts';
import { type DeliveryResult, failedDelivery, type Job, recipientStatus, toEmailError } from './delivery.ts';
import { ConfigurationError, type EmailError, MessageError, SendError, UnsupportedFeatureError } from './errors.ts';
import type { Awaitable } from './events.ts';
import { type Feature, findMissingFeatures } from './features.ts';
import { BeforeSend, type BeforeSendContext } from './mail-events.ts';
import { EmailMessage, mailboxesOf } from './message.ts';
import type { AddressList, EmailMessageDraft, EmailMessageInit } from './message-init.ts';
import { isDelivered, type MessageResult, type RecipientStatus } from './status.ts';

/** What can be sent: a message, or what one is made from. */
export type MessageInput = EmailMessage | EmailMessageDraft;

/** What preparation needs to know of the backend that will deliver. */
export interface Sender {
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  readonly options: BackendOptions;
}

/** A message that is ready for delivery, with what its result must say besides what the backend says. */
export interface Prepared {
  readonly kind: 'prepared';
  readonly index: number;
  readonly message: EmailMessage;
  readonly ignored: readonly Feature[];
  /** Recipients that could not be parsed and were left out (`failSilently`). */
  readonly invalid: readonly RecipientStatus[];
}

/** The result of a message that ended before the backend saw it; the message is null when the input was none. */
export interface Refused {
  readonly kind: 'refused';
  readonly message: EmailMessage | null;
  readonly result: MessageResult;
}

/** An input that was read: a message, or why it is none. */
export type ReadInput = Prepared | Refused;

const NOTHING: readonly never[] = Object.freeze([]);

/** Makes the input a message; a lenient reading leaves unreadable recipients out, and keeps them for the result. */
export function readInput(sender: Sender, input: MessageInput, index: number, lenient: boolean): ReadInput {
  if (input instanceof EmailMessage)
    return { kind: 'prepared', index, message: input, ignored: NOTHING, invalid: NOTHING };
  const { defaultFrom } = sender.options;
  const draft =
    input.fromEmail === undefined && defaultFrom !== undefined ? { ...input, fromEmail: defaultFrom } : input;
  // A draft without a sender fails in the constructor, with the other faults of the message.
  const { init, invalid } = lenient
    ? withoutInvalidRecipients(draft as EmailMessageInit)
    : { init: draft as EmailMessageInit, invalid: NOTHING };
  try {
    return { kind: 'prepared', index, message: new EmailMessage(init), ignored: NOTHING, invalid };
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    const onlyInvalid =
      invalid.length > 0 && error.issues.every(({ path, code }) => path === 'to' && code === 'required');
    return {
      kind: 'refused',
      message: null,
      result: unsendable(draft, index, onlyInvalid ? refusal(byAddress(invalid)) : error),
    };
  }
}

/** Runs the hooks and checks what the message needs against what the backend can do. */
export function prepare(sender: Sender, read: ReadInput): Awaitable<ReadInput> {
  if (read.kind === 'refused') return read;
  return BeforeSend.hasListeners ? runBeforeSend(sender, read) : checkFeatures(sender, read);
}

function runBeforeSend(sender: Sender, prepared: Prepared): Awaitable<ReadInput> {
  const proceed = ({ message, cancelled }: BeforeSendContext): ReadInput => {
    if (!(message instanceof EmailMessage)) {
      throw new ConfigurationError('invalid-listener', 'pass on {...context, message: message.with({...})}');
    }
    if ((cancelled ?? null) === null) return checkFeatures(sender, { ...prepared, message });
    const error = new SendError('cancelled', `a listener of BeforeSend cancelled the message: ${cancelled}`, {
      phase: 'hook',
    });
    return refuse({ ...prepared, message }, error);
  };
  const fail = (cause: unknown): Refused => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return refuse(
      prepared,
      new SendError('listener', `a listener of BeforeSend failed: ${reason}`, { phase: 'hook', cause }),
    );
  };
  try {
    const context = BeforeSend.emit({ backend: sender.name, message: prepared.message, cancelled: null });
    return context instanceof Promise ? context.then(proceed).catch(fail) : proceed(context);
  } catch (cause) {
    return fail(cause);
  }
}

function checkFeatures(sender: Sender, prepared: Prepared): ReadInput {
  const { advisory, essential } = findMissingFeatures(prepared.message, sender.features);
  const fatal = sender.options.onUnsupported === 'error' ? [...essential, ...advisory] : essential;
  if (fatal.length > 0) return refuse(prepared, new UnsupportedFeatureError(fatal, sender.name));
  return advisory.length === 0 ? prepared : { ...prepared, ignored: advisory };
}

function refuse(prepared: Prepared, error: EmailError): Refused {
  return { kind: 'refused', message: prepared.message, result: settle(prepared, failedDelivery(prepared, error)) };
}

/** Joins what the backend says of a message with what preparation found. */
export function settle(prepared: Prepared, delivered: DeliveryResult): MessageResult {
  const { message, invalid } = prepared;
  const ignored = delivered.ignored?.length
    ? [...new Set([...prepared.ignored, ...delivered.ignored])]
    : prepared.ignored;
  const recipients =
    delivered.recipients.size === message.recipients.length && invalid.length === 0
      ? delivered.recipients
      : completed(message, delivered.recipients, invalid);
  return {
    index: prepared.index,
    messageId: delivered.messageId,
    recipients,
    error: someDelivered(recipients) ? null : (delivered.error ?? refusal(recipients)),
    ignored,
    espResponse: delivered.espResponse ?? null,
  };
}

/** The job as the backend sees it. */
export function jobOf(prepared: Prepared, signal: AbortSignal | undefined): Job {
  return { index: prepared.index, message: prepared.message, signal };
}

/** The result of a message that was taken and not answered; `cause` is what ended the call, if anything did. */
export function unanswered(prepared: Prepared, cause: unknown): MessageResult {
  const error =
    cause === undefined
      ? new SendError('uncertain', 'the backend ended without telling whether the mail was sent', {
          outcome: 'unknown',
        })
      : toEmailError(cause);
  return settle(prepared, failedDelivery(prepared, error));
}

/** The result of an input that was never taken, because the call had ended by then. */
export function notTaken(read: ReadInput, error: EmailError): MessageResult {
  return read.kind === 'refused' ? read.result : settle(read, failedDelivery(read, error));
}

function someDelivered(recipients: ReadonlyMap<string, RecipientStatus>): boolean {
  for (const recipient of recipients.values()) if (isDelivered(recipient)) return true;
  return false;
}

function completed(
  message: EmailMessage,
  delivered: ReadonlyMap<string, RecipientStatus>,
  invalid: readonly RecipientStatus[],
): ReadonlyMap<string, RecipientStatus> {
  const recipients = new Map(delivered);
  for (const { address } of message.recipients) {
    if (!recipients.has(address)) {
      const error = new SendError('uncertain', 'the backend did not tell what happened to this recipient', {
        outcome: 'unknown',
      });
      recipients.set(address, recipientStatus(address, 'unknown', { code: error.code, error }));
    }
  }
  for (const recipient of invalid) recipients.set(recipient.address, recipient);
  return recipients;
}

/** The result of an input that is no message: its recipients by the text that was given. */
function unsendable(init: EmailMessageDraft, index: number, error: EmailError): MessageResult {
  const recipients = new Map<string, RecipientStatus>();
  for (const { address, problem } of rawRecipients(init)) {
    recipients.set(address, recipientStatus(address, problem ? 'invalid' : 'failed', { code: error.code, error }));
  }
  return { index, messageId: null, recipients, error, ignored: NOTHING, espResponse: null };
}

function withoutInvalidRecipients(init: EmailMessageInit): {
  init: EmailMessageInit;
  invalid: readonly RecipientStatus[];
} {
  const invalid: RecipientStatus[] = [];
  for (const { address, problem } of rawRecipients(init)) {
    if (!problem) continue;
    const error = new SendError('invalid-recipient', `${address}: ${problem.reason}`, {
      phase: 'message',
      cause: problem,
    });
    invalid.push(recipientStatus(address, 'invalid', { code: error.code, error }));
  }
  if (invalid.length === 0) return { init, invalid };
  const keep = (list: AddressList | undefined) =>
    listOf(list).filter((entry) => !(tryParse(entry) instanceof AddressSyntaxError));
  return { init: { ...init, to: keep(init.to), cc: keep(init.cc), bcc: keep(init.bcc) }, invalid };
}

interface RawRecipient {
  readonly address: string;
  readonly problem: AddressSyntaxError | null;
}

function rawRecipients(init: EmailMessageDraft): readonly RawRecipient[] {
  return [init.to, init.cc, init.bcc].flatMap(listOf).flatMap((entry): readonly RawRecipient[] => {
    const parsed = tryParse(entry);
    if (!(parsed instanceof AddressSyntaxError))
      return mailboxesOf([parsed]).map(({ address }) => ({ address, problem: null }));
    return [{ address: typeof entry === 'string' ? entry : String(entry?.address ?? entry), problem: parsed }];
  });
}

function listOf(list: AddressList | undefined): readonly AddressInput[] {
  if (list === undefined || list === null) return NOTHING;
  // Array.isArray does not narrow readonly arrays; what is no array is one address.
  return Array.isArray(list) ? list : [list as AddressInput];
}

function tryParse(entry: AddressInput): Mailbox | Group | AddressSyntaxError {
  try {
    return parseAddress(entry);
  } catch (error) {
    if (error instanceof AddressSyntaxError) return error;
    throw error;
  }
}

function byAddress(statuses: readonly RecipientStatus[]): ReadonlyMap<string, RecipientStatus> {
  return new Map(statuses.map((status) => [status.address, status]));
}
