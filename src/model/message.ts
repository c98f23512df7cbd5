import { brand } from '../util/brand.ts';
import { MESSAGE_NAMES, suggest } from '../util/foreign-names.ts';
import { addressKey, formatAddress, type Group, isGroup, type Mailbox } from './address.ts';
import { type Attachment, FileContent, loadAttachment } from './attachment.ts';
import { MessageError } from './errors.ts';
import { MessageCheck } from './message-check.ts';
import type {
  Alternative,
  DsnRequest,
  EmailMessageInit,
  EspExtra,
  ListUnsubscribe,
  MergeData,
  Priority,
} from './message-init.ts';
import { type MessageJson, messageFromJson, messageToJson } from './message-json.ts';

/** The addresses of a message, parsed. */
export interface ParsedAddresses {
  /** The visible sender. */
  readonly from: Mailbox;
  /** As in the message, in its order. */
  readonly to: readonly (Mailbox | Group)[];
  /** As in the message, in its order. */
  readonly cc: readonly (Mailbox | Group)[];
  /** As in the message, in its order. */
  readonly bcc: readonly (Mailbox | Group)[];
  /** As in the message, in its order. */
  readonly replyTo: readonly (Mailbox | Group)[];
  /** Null for the null sender, or when none was given (see `envelopeSender`). */
  readonly envelopeSender: Mailbox | null;
}

const NONE: readonly never[] = /* @__PURE__ */ Object.freeze([]);

/** The names of all fields. */
export const FIELDS: Readonly<Record<string, true>> = /* @__PURE__ */ Object.assign(Object.create(null), {
  subject: true,
  body: true,
  fromEmail: true,
  to: true,
  cc: true,
  bcc: true,
  replyTo: true,
  htmlBody: true,
  attachments: true,
  alternatives: true,
  headers: true,
  tags: true,
  metadata: true,
  templateId: true,
  mergeData: true,
  mergeGlobalData: true,
  trackOpens: true,
  trackClicks: true,
  envelopeSender: true,
  date: true,
  messageId: true,
  inReplyTo: true,
  references: true,
  priority: true,
  autoText: true,
  inlineImages: true,
  listUnsubscribe: true,
  dsn: true,
  requireTls: true,
  sendAt: true,
  idempotencyKey: true,
  espExtra: true,
});

let hasOurs: (value: object) => boolean;

/** A checked message with its Message-ID and Date, which must be the same however often it is sent. */
class Dated {
  readonly message: EmailMessage;
  readonly messageId: string;
  readonly date: Date;

  constructor(message: EmailMessage, messageId: string, date: Date) {
    this.message = message;
    this.messageId = messageId;
    this.date = date;
  }
}

/** {@link EmailMessage.with} an id and a date, without another check: wrappers do this to every mail. */
export function withIdAndDate(message: EmailMessage, messageId: string, date: Date): EmailMessage {
  // Of another copy of this package, as the one that a blocking call of a module loads: its own class makes it.
  if (!hasOurs(message)) return message.with({ messageId, date });
  const dated: object = new Dated(message, messageId, date);
  return new EmailMessage(dated as EmailMessageInit); // the constructor knows it
}

function messageClass(type: typeof EmailMessage, isOne: typeof hasOurs): (value: unknown) => boolean {
  hasOurs = isOne;
  return brand(type, 'EmailMessage');
}

/**
 * One email, validated and deeply readonly; `instanceof` holds across copies of this package.
 *
 * Addresses are given as strings (`'Jane <jane@example.com>'`) or `{name, address}`, and read back as strings. Content bytes
 * are taken by reference.
 */
export class EmailMessage {
  /** `instanceof` holds across copies of this package. */
  static readonly [Symbol.hasInstance]: (value: unknown) => boolean = /* @__PURE__ */ messageClass(
    EmailMessage,
    (value) => #parsed in value,
  );

  readonly subject: string;
  readonly body: string;
  readonly fromEmail: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly replyTo: readonly string[];
  readonly htmlBody: string | null;
  readonly attachments: readonly Attachment[];
  readonly alternatives: readonly Alternative[];
  readonly headers: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly templateId: string | null;
  readonly mergeData: Readonly<Record<string, MergeData>> | null;
  readonly mergeGlobalData: MergeData | null;
  readonly trackOpens: boolean;
  readonly trackClicks: boolean;
  readonly envelopeSender: string | null;
  declare readonly date: Date | null;
  readonly messageId: string | null;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  readonly priority: Priority | null;
  readonly autoText: boolean;
  readonly inlineImages: boolean;
  readonly listUnsubscribe: ListUnsubscribe | null;
  readonly dsn: DsnRequest | null;
  readonly requireTls: boolean;
  declare readonly sendAt: Date | null;
  readonly idempotencyKey: string | null;
  readonly espExtra: EspExtra | null;

  readonly #parsed: ParsedAddresses;
  #recipients: readonly Mailbox[] | null = null;
  readonly #date: number;
  readonly #sendAt: number;

  /** A Date cannot be frozen: each read returns a new one. Engines keep an object that has getters of its own as a slow table. */
  static readonly #dates = {
    date: {
      enumerable: true,
      get(this: EmailMessage): Date {
        return new Date(this.#date);
      },
    },
    sendAt: {
      enumerable: true,
      get(this: EmailMessage): Date {
        return new Date(this.#sendAt);
      },
    },
  };

  /** @throws {MessageError} `invalid-message`; its `issues` list every fault with the path of its field. */
  constructor(init: EmailMessageInit) {
    if (init instanceof Dated) {
      const { message } = init;
      ({
        subject: this.subject,
        body: this.body,
        fromEmail: this.fromEmail,
        to: this.to,
        cc: this.cc,
        bcc: this.bcc,
        replyTo: this.replyTo,
        htmlBody: this.htmlBody,
        attachments: this.attachments,
        alternatives: this.alternatives,
        headers: this.headers,
        tags: this.tags,
        metadata: this.metadata,
        templateId: this.templateId,
        mergeData: this.mergeData,
        mergeGlobalData: this.mergeGlobalData,
        trackOpens: this.trackOpens,
        trackClicks: this.trackClicks,
        envelopeSender: this.envelopeSender,
        inReplyTo: this.inReplyTo,
        references: this.references,
        priority: this.priority,
        autoText: this.autoText,
        inlineImages: this.inlineImages,
        listUnsubscribe: this.listUnsubscribe,
        dsn: this.dsn,
        requireTls: this.requireTls,
        idempotencyKey: this.idempotencyKey,
        espExtra: this.espExtra,
      } = message);
      this.messageId = init.messageId;
      this.#parsed = message.#parsed;
      this.#recipients = message.#recipients;
      const { sendAt } = message;
      this.#date = Number(init.date);
      this.#sendAt = Number(sendAt);
      Object.defineProperty(this, 'date', EmailMessage.#dates.date);
      if (sendAt === null) this.sendAt = null;
      else Object.defineProperty(this, 'sendAt', EmailMessage.#dates.sendAt);
      Object.freeze(this);
      return;
    }
    const check = new MessageCheck();
    if (typeof init !== 'object' || init === null) {
      throw new MessageError([
        { path: 'message', code: 'type', message: 'must be an object with the fields of a message' },
      ]);
    }
    for (const field in init) {
      if (FIELDS[field] !== true) check.fail(field, 'unknown-field', noSuchField(field));
    }
    this.subject = check.line('subject', init.subject, true) ?? '';
    this.htmlBody = check.text('htmlBody', init.htmlBody);
    this.attachments = check.attachments(init.attachments);
    this.alternatives = check.alternatives(init.alternatives);
    this.templateId = check.line('templateId', init.templateId);
    const { body, envelopeSender } = init;
    this.body = check.text('body', body) ?? '';
    if (body == null && this.htmlBody === null && this.templateId === null) {
      if (this.attachments.length === 0 && this.alternatives.length === 0) {
        check.fail('body', 'required', 'give a body, an htmlBody, a templateId, an attachment or an alternative');
      }
    }

    const from = check.mailbox('fromEmail', init.fromEmail);
    const to = check.addresses('to', init.to);
    const cc = check.addresses('cc', init.cc);
    const bcc = check.addresses('bcc', init.bcc);
    const replyTo = check.addresses('replyTo', init.replyTo);
    const isNullSender = envelopeSender === '';
    const sender = isNullSender || envelopeSender == null ? null : check.mailbox('envelopeSender', envelopeSender);
    this.fromEmail = from === null ? '' : formatAddress(from);
    this.to = formatAll(to);
    this.cc = formatAll(cc);
    this.bcc = formatAll(bcc);
    this.replyTo = formatAll(replyTo);
    this.envelopeSender = isNullSender ? '' : (sender?.address ?? null);
    if (!(to.some(hasMailbox) || cc.some(hasMailbox) || bcc.some(hasMailbox)) && !check.hasFault('address')) {
      check.fail('to', 'required', 'give at least one recipient in to, cc or bcc');
    }

    this.headers = check.headers(init.headers);
    this.tags = check.tags(init.tags);
    this.metadata = check.metadata(init.metadata);
    this.mergeData = check.mergeData(init.mergeData);
    this.mergeGlobalData = check.data('mergeGlobalData', init.mergeGlobalData);
    this.trackOpens = check.flag('trackOpens', init.trackOpens);
    this.trackClicks = check.flag('trackClicks', init.trackClicks);
    const date = check.date('date', init.date);
    this.messageId = check.messageId('messageId', init.messageId);
    this.inReplyTo = check.thread('inReplyTo', init.inReplyTo).join(' ') || null;
    this.references = check.thread('references', init.references);
    this.priority = check.oneOf('priority', init.priority, ['high', 'normal', 'low']);
    this.autoText = check.flag('autoText', init.autoText);
    this.inlineImages = check.flag('inlineImages', init.inlineImages);
    this.listUnsubscribe = check.listUnsubscribe(init.listUnsubscribe);
    this.dsn = check.dsn(init.dsn);
    this.requireTls = check.flag('requireTls', init.requireTls);
    const sendAt = check.date('sendAt', init.sendAt);
    this.idempotencyKey = check.idempotencyKey(init.idempotencyKey);
    this.espExtra = check.espExtra(init.espExtra);

    if (check.issues !== null || from === null) throw new MessageError(check.issues ?? []);
    this.#parsed = Object.freeze({ from, to, cc, bcc, replyTo, envelopeSender: sender });
    this.#date = Number(date);
    this.#sendAt = Number(sendAt);
    if (date === null) this.date = null;
    else Object.defineProperty(this, 'date', EmailMessage.#dates.date);
    if (sendAt === null) this.sendAt = null;
    else Object.defineProperty(this, 'sendAt', EmailMessage.#dates.sendAt);
    Object.freeze(this);
  }

  /** The addresses, parsed: what the composer and the backends work with. */
  get parsed(): ParsedAddresses {
    return this.#parsed;
  }

  /** Every mailbox of `to`, `cc` and `bcc` in this order, members of groups included, each address once. */
  get recipients(): readonly Mailbox[] {
    this.#recipients ??= uniqueMailboxes(this.#parsed);
    return this.#recipients;
  }

  /** A validated copy with some fields changed. */
  with(changes: Partial<EmailMessageInit>): EmailMessage {
    return new EmailMessage({ ...this, ...changes });
  }

  /**
   * The message as plain JSON, which `EmailMessage.fromJSON` restores without loss.
   *
   * @throws {MessageError} `invalid-message` when an attachment is a Blob or a stream: call `await message.materialize()` first.
   */
  toJSON(): MessageJson {
    return messageToJson(this);
  }

  /** @throws {MessageError} `invalid-message` when `json` is not what `toJSON` writes. */
  static fromJSON(json: MessageJson): EmailMessage {
    return new EmailMessage(messageFromJson(json));
  }

  /**
   * A message from a stored or received mail, for drafts, tests and sending again; signatures and trace headers are left out.
   * Only the recipients in its header are known, so not those in Bcc.
   *
   * @throws {MessageError} `invalid-message` when it is not a mail, or cannot be sent, such as one without recipients.
   */
  static async fromEml(eml: Uint8Array | string): Promise<EmailMessage> {
    const { messageFromEml } = await import('../mime/read/message-from-eml.ts');
    return new EmailMessage(messageFromEml(eml));
  }

  /** This message with every attachment's content read into memory; itself when already there. */
  async materialize(): Promise<EmailMessage> {
    return withContentRead(this, undefined);
  }
}

/** Whether this copy of the package made the message; `instanceof` also holds for messages of another copy. */
export function isOurs(value: unknown): value is EmailMessage {
  return typeof value === 'object' && value !== null && hasOurs(value);
}

/**
 * The text about an unknown field of a message.
 *
 * @param names the caller's names for fields, where they differ
 */
export function noSuchField(field: string, names: Readonly<Record<string, string>> = {}): string {
  const local = (name: string): string => names[name] ?? name;
  const known = Object.keys(FIELDS).map(local);
  return `there is no such field; ${suggest(field, known, MESSAGE_NAMES, local) ?? `the fields are ${known.join(', ')}`}`;
}

/** {@link EmailMessage.materialize} until `signal` aborts: then it rejects, and closes its streams, with their next chunks. */
export async function withContentRead(message: EmailMessage, signal: AbortSignal | undefined): Promise<EmailMessage> {
  if (message.attachments.every((attachment) => attachment.isInMemory)) return message;
  const attachments = await Promise.all(message.attachments.map((attachment) => loadAttachment(attachment, signal)));
  return message.with({ attachments });
}

/** A synchronous `materialize`: reads the files of `Attachment.fromFile`, and leaves Blobs and streams alone. */
export function withFilesRead(message: EmailMessage): EmailMessage {
  if (!message.attachments.some(({ content }) => content instanceof FileContent)) return message;
  const attachments = message.attachments.map((attachment) => {
    const { content } = attachment;
    return content instanceof FileContent ? { ...attachment, content: content.readSync() } : attachment;
  });
  return message.with({ attachments });
}

/** The mailboxes of an address list, those inside groups included. */
export function mailboxesOf(addresses: readonly (Mailbox | Group)[]): readonly Mailbox[] {
  return addresses.flatMap((entry) => ('members' in entry ? entry.members : entry));
}

function hasMailbox(entry: Mailbox | Group): boolean {
  return !('members' in entry) || entry.members.length > 0;
}

function uniqueMailboxes({ to, cc, bcc }: ParsedAddresses): readonly Mailbox[] {
  // The usual message has one recipient; `to` is then the list itself.
  if (to.length === 1 && cc.length === 0 && bcc.length === 0 && !to.some(isGroup)) return to as readonly Mailbox[];
  const unique = new Map<string, Mailbox>();
  for (const mailbox of [...mailboxesOf(to), ...mailboxesOf(cc), ...mailboxesOf(bcc)]) {
    const key = addressKey(mailbox);
    if (!unique.has(key)) unique.set(key, mailbox);
  }
  return Object.freeze([...unique.values()]);
}

function formatAll(addresses: readonly (Mailbox | Group)[]): readonly string[] {
  return addresses.length === 0 ? NONE : Object.freeze(addresses.map(formatAddress));
}

/** Whether the images of a message's HTML are to become attachments: not those of a provider's template. */
export function hasImagesToInline({ inlineImages, htmlBody, templateId }: EmailMessage): boolean {
  return inlineImages && htmlBody !== null && templateId === null;
}

/** The sender of a message's envelope (RFC 5321, section 4.1.1.2), '' for one that wants no bounces. */
export function reversePath({ envelopeSender, parsed }: EmailMessage): string {
  return envelopeSender === '' ? '' : (parsed.envelopeSender ?? parsed.from).asciiAddress;
}
