import { type AddressInput, AddressSyntaxError, type Group, type Mailbox, parseAddress } from '../../model/address.ts';
import { type EmailError, MessageError, SendError } from '../../model/errors.ts';
import type { Feature } from '../../model/features.ts';
import { EmailMessage, FIELDS, isOurs, mailboxesOf } from '../../model/message.ts';
import type { AddressList, EmailMessageDraft, EmailMessageInit } from '../../model/message-init.ts';
import { type MessageResult, type RecipientStatus, recipientStatus } from '../../model/status.ts';
import { copyList } from '../../util/list.ts';
import { reasonOf } from '../../util/reason.ts';
import type { BackendOptions } from '../backend.ts';
import type { DeliveryFilter } from '../filter.ts';
import { refusal } from './conclusion.ts';

/** What can be sent: a message, or what one is made from. */
export type MessageInput = EmailMessage | EmailMessageDraft;

/** What preparation needs to know of the backend that will deliver. */
export interface BackendFacts {
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  readonly options: BackendOptions;
}

/** An input that was read as a message. */
export interface Readable {
  readonly kind: 'readable';
  readonly index: number;
  readonly message: EmailMessage;
  /** Recipients that could not be parsed and were left out (`failSilently`). */
  readonly invalid: readonly RecipientStatus[];
}

/** A message that is ready for delivery, with what its result must say besides what the backend says. */
export interface Prepared extends Omit<Readable, 'kind'> {
  readonly kind: 'prepared';
  /** As the backend gets it; `message` is as its sender knows it. */
  readonly outgoing: EmailMessage;
  /** The filters that made the one of the other, in their order. */
  readonly passed: readonly Passage[];
  readonly ignored: readonly Feature[];
}

/** A message and the filter that it has gone through. */
interface Passage {
  readonly filter: DeliveryFilter;
  readonly message: EmailMessage;
}

/** The result of a message that ended before the backend saw it; the message is null when the input was none. */
export interface Refused {
  readonly kind: 'refused';
  readonly message: EmailMessage | null;
  readonly result: MessageResult;
}

/** An input that was read: a message, or why it is none. */
export type ReadInput = Readable | Refused;

const NOTHING: readonly never[] = /* @__PURE__ */ Object.freeze([]);

/** Makes the input a message; a lenient reading leaves unreadable recipients out, and keeps them for the result. */
export function readInput(backend: BackendFacts, input: MessageInput, index: number, lenient: boolean): ReadInput {
  try {
    return readMessage(backend, input, index, lenient);
  } catch (cause) {
    // A getter or toString of the caller's own that throws: this message's fault, and no other's.
    const reason = reasonOf(cause);
    const text = `could not be read: ${reason}`;
    return noMessage(index, new Map(), new MessageError([{ path: 'message', code: 'type', message: text }], { cause }));
  }
}

function readMessage(backend: BackendFacts, input: MessageInput, index: number, lenient: boolean): ReadInput {
  if (isOurs(input)) return readable(input, index, NOTHING);
  const draft = withSender(isDraft(input) ? readOnce(input) : input, backend.options.defaultFrom);
  const invalid = lenient ? findInvalidRecipients(draft) : NOTHING;
  try {
    return readable(new EmailMessage(invalid.length === 0 ? draft : withoutInvalidRecipients(draft)), index, invalid);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    const nobodyIsLeft =
      invalid.length > 0 && error.issues.every(({ path, code }) => path === 'to' && code === 'required');
    return unsendable(draft, index, nobodyIsLeft ? refusal(byAddress(invalid)) : error);
  }
}

/** The message itself, or one of another copy of this package made ours, from its public fields. */
export function ourMessage(message: EmailMessage): EmailMessage {
  return isOurs(message) ? message : new EmailMessage(readOnce(message) as EmailMessageInit); // it has a sender
}

function readable(message: EmailMessage, index: number, invalid: readonly RecipientStatus[]): Readable {
  return { kind: 'readable', index, message, invalid };
}

const FIELD_NAMES: readonly (keyof EmailMessageDraft)[] = /* @__PURE__ */ Object.keys(
  FIELDS,
) as (keyof EmailMessageDraft)[]; // it has them all
const RECIPIENT_FIELDS = ['to', 'cc', 'bcc'] as const;

/**
 * What the caller's object says, each field and each recipient read once: recipients are told of apart from the message, and a
 * getter may answer anew each time. Fields that are none are kept, to be refused.
 */
function readOnce(draft: EmailMessageDraft): EmailMessageDraft {
  const copy = isPlain(draft) ? { ...draft } : copyFields(draft);
  const fields = copy as unknown as Record<string, unknown>; // an object has members under strings
  for (const field of RECIPIENT_FIELDS) {
    const list = fields[field];
    if (Array.isArray(list)) fields[field] = copyList(list).map(ownAddress);
    else if (list !== undefined) fields[field] = ownAddress(list);
  }
  return copy;
}

/** The fields of an object with a class, or of a message that another copy of this package made. */
function copyFields(draft: EmailMessageDraft): EmailMessageDraft {
  const source = draft as Readonly<Record<string, unknown>>; // an object has members under strings
  const copy: Record<string, unknown> = Object.create(null); // where `__proto__` is a field that is none
  // A later version may have fields that are not known here, and most of its messages nothing in them.
  const isForeign = draft instanceof EmailMessage;
  for (const field in source) {
    const value = source[field];
    if (!(isForeign && FIELDS[field] !== true && isUnset(value))) copy[field] = value;
  }
  // Getters of a class are not enumerable.
  for (const field of FIELD_NAMES) if (!(field in copy)) copy[field] = source[field];
  return copy as unknown as EmailMessageDraft; // as far as it was one
}

function isUnset(value: unknown): boolean {
  return value === null || value === undefined || value === false || (Array.isArray(value) && value.length === 0);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function ownAddress(input: unknown): unknown {
  if (typeof input !== 'object' || input === null) return input;
  const { name, address } = input as { readonly name?: unknown; readonly address?: unknown };
  return { name, address };
}

/** A draft that has no sender still fails in the constructor, together with the other faults of the message. */
function withSender(draft: EmailMessageDraft, defaultFrom: AddressInput | undefined): EmailMessageInit {
  const needsOne = defaultFrom !== undefined && isDraft(draft) && (draft.fromEmail ?? null) === null;
  return (needsOne ? { ...draft, fromEmail: defaultFrom } : draft) as EmailMessageInit;
}

/** What is given in JavaScript may be anything; the constructor of EmailMessage says so. */
function isDraft(value: unknown): value is EmailMessageDraft {
  return typeof value === 'object' && value !== null;
}

/** The result of an input that is no message: its recipients by the text that was given. */
function unsendable(draft: EmailMessageDraft, index: number, error: EmailError): Refused {
  const recipients = new Map<string, RecipientStatus>();
  for (const { address, problem } of rawRecipients(draft)) {
    recipients.set(address, recipientStatus(address, problem ? 'invalid' : 'failed', { code: error.code, error }));
  }
  return noMessage(index, recipients, error);
}

function noMessage(index: number, recipients: ReadonlyMap<string, RecipientStatus>, error: EmailError): Refused {
  const result: MessageResult = { index, messageId: null, recipients, error, ignored: NOTHING, espResponse: null };
  return { kind: 'refused', message: null, result };
}

function findInvalidRecipients(draft: EmailMessageDraft): readonly RecipientStatus[] {
  const invalid: RecipientStatus[] = [];
  for (const { address, problem } of rawRecipients(draft)) {
    if (!problem) continue;
    const text = `${address}: ${problem.reason}`;
    const error = new SendError('invalid-recipient', text, { phase: 'message', cause: problem });
    invalid.push(recipientStatus(address, 'invalid', { code: error.code, error }));
  }
  return invalid;
}

function withoutInvalidRecipients(init: EmailMessageInit): EmailMessageInit {
  const keep = (list: AddressList | undefined) =>
    listOf(list).filter((entry) => !(tryParse(entry) instanceof AddressSyntaxError));
  return { ...init, to: keep(init.to), cc: keep(init.cc), bcc: keep(init.bcc) };
}

interface RawRecipient {
  readonly address: string;
  readonly problem: AddressSyntaxError | null;
}

function rawRecipients(init: EmailMessageDraft): readonly RawRecipient[] {
  if (!isDraft(init)) return NOTHING;
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
