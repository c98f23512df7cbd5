import { copyJson, isObject } from '../util/json.ts';
import { readLine } from '../util/line.ts';
import { copyList } from '../util/list.ts';
import {
  type AddressInput,
  AddressSyntaxError,
  type Group,
  type Mailbox,
  parseAddress,
  parseMailbox,
} from './address.ts';
import { type Attachment, type AttachmentInit, isMediaType, readAttachment } from './attachment.ts';
import type { MessageIssue, MessageIssueCode } from './errors.ts';
import { isIdempotencyKey, MAX_KEY } from './idempotency-key.ts';
import { isMessageId, readMessageIds } from './message-ids.ts';
import type { AddressList, Alternative, DsnRequest, EspExtra, ListUnsubscribe, MergeData } from './message-init.ts';

type AddressField = 'to' | 'cc' | 'bcc' | 'replyTo';

const NONE: readonly never[] = /* @__PURE__ */ Object.freeze([]);
const EMPTY: Readonly<Record<string, never>> = /* @__PURE__ */ Object.freeze({});

// RFC 5322, section 2.2: printable ASCII but the colon.
const HEADER_NAME = /^[!-9;-~]{1,76}$/;
const CONTROL_ADVICE = 'remove line breaks and other control characters';
const MAX_URI = 990;

/** Headers that have their own field, or that the composer must write itself, and what to use instead. */
const RESERVED_HEADERS: Readonly<Record<string, string>> = {
  from: 'use fromEmail',
  sender: 'use fromEmail and envelopeSender',
  to: 'use to',
  cc: 'use cc',
  bcc: 'use bcc',
  'reply-to': 'use replyTo',
  subject: 'use subject',
  date: 'use date',
  'message-id': 'use messageId',
  'in-reply-to': 'use inReplyTo',
  references: 'use references',
  'return-path': 'use envelopeSender',
  'mime-version': 'it is always written',
  'dkim-signature': "use the backend's dkim option",
};

/** Reads the fields of an untyped init one by one and collects their faults. */
export class MessageCheck {
  issues: MessageIssue[] | null = null;

  fail(path: string, code: MessageIssueCode, message: string): void {
    this.issues ??= [];
    this.issues.push({ path, code, message });
  }

  hasFault(code: MessageIssueCode): boolean {
    return this.issues?.some((issue) => issue.code === code) ?? false;
  }

  text(path: string, value: string | null | undefined, required = false): string | null {
    if (value === undefined || value === null) {
      if (required) this.fail(path, 'required', 'it is missing');
      return null;
    }
    if (typeof value === 'string') return value;
    this.fail(path, 'type', 'must be a string');
    return null;
  }

  line(path: string, value: string | null | undefined, required = false): string | null {
    const text = this.text(path, value, required);
    if (text === null) return null;
    const line = readLine(text);
    if (line === null) this.fail(path, 'control-character', CONTROL_ADVICE);
    return line;
  }

  flag(path: string, value: boolean | null | undefined): boolean {
    if (value !== undefined && value !== null && typeof value !== 'boolean')
      this.fail(path, 'type', 'must be true or false');
    return value === true;
  }

  oneOf<T extends string>(path: string, value: T | null | undefined, values: readonly T[]): T | null {
    if (value === undefined || value === null) return null;
    if (values.includes(value)) return value;
    this.fail(path, 'range', `must be one of ${values.map((known) => `'${known}'`).join(', ')}`);
    return null;
  }

  mailbox(path: string, value: AddressInput | undefined): Mailbox | null {
    if (value === undefined || value === null) {
      this.fail(path, 'required', 'it is missing; give it, or set defaultFrom or AMSDAL_EMAIL_FROM and use sendMail');
      return null;
    }
    return this.#address(path, value, parseMailbox);
  }

  addresses(field: AddressField, value: AddressList | undefined): readonly (Mailbox | Group)[] {
    if (value === undefined || value === null) return NONE;
    if (!isList(value)) {
      const only = this.#address(field, value, parseAddress);
      return only === null ? NONE : Object.freeze([only]);
    }
    const list: (Mailbox | Group)[] = [];
    const { length } = value;
    for (let index = 0; index < length; index++) {
      try {
        // The index is below the length; a hole in the array is refused by the parser like any other non-address.
        list.push(parseAddress(value[index] as AddressInput));
      } catch (error) {
        this.#failAddress(`${field}[${index}]`, error);
      }
    }
    // The first push reserved room for 17 entries; a copy saves memory when a hundred thousand mails wait.
    return Object.freeze(list.slice());
  }

  #address<T>(path: string, value: AddressInput, parse: (value: AddressInput) => T): T | null {
    try {
      return parse(value);
    } catch (error) {
      this.#failAddress(path, error);
      return null;
    }
  }

  #failAddress(path: string, error: unknown): void {
    if (!(error instanceof AddressSyntaxError)) throw error;
    this.fail(path, 'address', error.reason);
  }

  attachments(value: readonly AttachmentInit[] | undefined): readonly Attachment[] {
    const entries = this.#list('attachments', value, 'must be an array');
    if (entries.length === 0) return NONE;
    const ids = new Set<string>();
    const list: Attachment[] = [];
    for (const [index, entry] of entries.entries()) {
      const path = `attachments[${index}]`;
      const attachment = readAttachment(entry, `${path}.`, (issue) => this.fail(issue.path, issue.code, issue.message));
      if (attachment === null) continue;
      if (attachment.contentId !== null) {
        if (ids.has(attachment.contentId))
          this.fail(`${path}.contentId`, 'duplicate', 'another attachment has the same contentId');
        ids.add(attachment.contentId);
      }
      list.push(attachment);
    }
    return Object.freeze(list);
  }

  alternatives(value: readonly Alternative[] | undefined): readonly Alternative[] {
    const entries = this.#list('alternatives', value, 'must be an array of {content, mimetype}');
    if (entries.length === 0) return NONE;
    return Object.freeze(
      entries.map((entry, index) => {
        const { content, mimetype } = entry ?? {};
        if (typeof content !== 'string') {
          this.fail(`alternatives[${index}].content`, 'required', 'must be a string');
        }
        if (!isMediaType(mimetype)) {
          this.fail(
            `alternatives[${index}].mimetype`,
            'content-type',
            "must be a media type such as 'text/calendar; method=REQUEST', of at most 900 characters",
          );
        }
        return Object.freeze({ content: content ?? '', mimetype: String(mimetype) });
      }),
    );
  }

  headers(value: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
    const copy = this.#record('headers', value);
    const seen = new Set<string>();
    for (const name in copy) {
      const path = `headers.${name}`;
      const folded = name.toLowerCase();
      const advice = Object.hasOwn(RESERVED_HEADERS, folded) ? RESERVED_HEADERS[folded] : undefined;
      if (!isHeaderName(name)) {
        this.fail(path, 'header-name', 'a header name is 1 to 76 printable ASCII characters without spaces and colons');
      } else if (advice !== undefined)
        this.fail(path, 'reserved-header', `it cannot be set as a custom header: ${advice}`);
      else if (folded.startsWith('content-') || folded.startsWith('resent-')) {
        this.fail(path, 'reserved-header', 'it cannot be set as a custom header');
      } else if (seen.has(folded)) this.fail(path, 'duplicate', 'it is there twice, in different letter case');
      seen.add(folded);
    }
    return copy;
  }

  tags(value: readonly string[] | undefined): readonly string[] {
    const entries = this.#list('tags', value, 'must be an array of strings');
    if (entries.length === 0) return NONE;
    const unique = new Set<string>();
    for (const [index, tag] of entries.entries()) {
      const line = this.line(`tags[${index}]`, tag, true);
      if (line === '') this.fail(`tags[${index}]`, 'required', 'it is empty');
      else if (line !== null) unique.add(line);
    }
    return Object.freeze([...unique]);
  }

  metadata(value: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
    const copy = this.#record('metadata', value);
    for (const name in copy) this.line(`metadata.${name}`, name);
    return copy;
  }

  /** A frozen copy of a record of single-line strings. */
  #record(path: string, value: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
    if (value === undefined || value === null) return EMPTY;
    // Arrays, Map and Headers do not hold their entries in properties.
    if (typeof value !== 'object' || Symbol.iterator in value) {
      this.fail(path, 'type', 'must be a plain object of strings, such as { name: value }');
      return EMPTY;
    }
    const copy: Record<string, string> = {};
    for (const [name, text] of Object.entries(value)) {
      const line = this.line(`${path}.${name}`, text, true);
      // Assignment would change the prototype for the name __proto__.
      if (line !== null) Object.defineProperty(copy, name, { value: line, enumerable: true });
    }
    return Object.freeze(copy);
  }

  data(path: string, value: MergeData | null | undefined): MergeData | null {
    if (value === undefined || value === null) return null;
    const copy = copyJson(value, (at, message) => this.fail(path + at, 'type', message));
    if (isObject(copy)) return copy;
    this.fail(path, 'type', 'must be an object of template variables');
    return null;
  }

  mergeData(value: Readonly<Record<string, MergeData>> | null | undefined): Readonly<Record<string, MergeData>> | null {
    const copy = this.data('mergeData', value);
    if (copy === null) return null;
    for (const [recipient, variables] of Object.entries(copy)) {
      this.#address(`mergeData.${recipient}`, recipient, parseMailbox);
      if (!isObject(variables)) this.fail(`mergeData.${recipient}`, 'type', 'must be an object of template variables');
    }
    return copy as Readonly<Record<string, MergeData>>; // every value was just checked to be an object
  }

  idempotencyKey(value: string | null | undefined): string | null {
    const key = this.text('idempotencyKey', value);
    if (key === null || isIdempotencyKey(key)) return key;
    this.fail(
      'idempotencyKey',
      'range',
      `must be 1 to ${MAX_KEY} visible ASCII characters, such as 'order-17/receipt'`,
    );
    return null;
  }

  espExtra(value: EspExtra | null | undefined): EspExtra | null {
    const copy = this.data('espExtra', value);
    if (copy === null) return null;
    for (const [name, fields] of Object.entries(copy)) {
      if (!isObject(fields))
        this.fail(`espExtra.${name}`, 'type', "must be an object of the provider's fields, under the backend's name");
    }
    return copy as EspExtra; // every value was just checked to be an object
  }

  date(path: 'date' | 'sendAt', value: Date | null | undefined): Date | null {
    if (value === undefined || value === null) return null;
    if (!(value instanceof Date)) {
      this.fail(path, 'type', 'must be a Date');
      return null;
    }
    // A copy, as the caller may still change the Date.
    const copy = new Date(Number(value));
    if (copy.getTime() >= 0 && copy.getUTCFullYear() <= 9999) return copy;
    this.fail(path, 'range', 'must be a valid date from 1970 to 9999');
    return null;
  }

  messageId(path: string, value: string | null | undefined): string | null {
    const line = this.line(path, value);
    if (line === null) return null;
    const id = /^<.*>$/.test(line) ? line.slice(1, -1) : line;
    if (isMessageId(id)) return id;
    this.fail(path, 'range', "must look like 'unique-part@example.com', with or without angle brackets");
    return null;
  }

  /** The ids of a thread: one that cannot be written is dropped, and does not keep the mail from being sent. */
  thread(path: string, value: string | readonly string[] | null | undefined): readonly string[] {
    if (typeof value === 'string') return Object.freeze(readMessageIds(value));
    const entries = this.#list(path, value, 'must be a Message-ID or an array of them');
    const ids = entries.flatMap((entry, index) => {
      const text = this.text(`${path}[${index}]`, entry, true);
      return text === null ? [] : readMessageIds(text);
    });
    return ids.length === 0 ? NONE : Object.freeze(ids);
  }

  listUnsubscribe(value: ListUnsubscribe | null | undefined): ListUnsubscribe | null {
    if (value === undefined || value === null) return null;
    if (!this.#hasOnly('listUnsubscribe', value, ['url', 'mailto', 'oneClick'])) return null;
    const { url, mailto, oneClick } = value;
    if (url === undefined && mailto === undefined)
      this.fail('listUnsubscribe', 'required', 'give a url, a mailto, or both');
    if (url !== undefined && !isUri(url, /^https?:\/\//i)) {
      this.fail(
        'listUnsubscribe.url',
        'range',
        `must be an absolute https or http URL of at most ${MAX_URI} characters; percent-encode spaces, < and >`,
      );
    }
    if (mailto !== undefined && !isUri(mailto, /^(?:mailto:)?[^:@]+@/i)) {
      this.fail(
        'listUnsubscribe.mailto',
        'range',
        `must be an address or a 'mailto:' URI of at most ${MAX_URI} characters; percent-encode spaces, < and >`,
      );
    }
    if (this.flag('listUnsubscribe.oneClick', oneClick) && !(typeof url === 'string' && /^https:\/\//i.test(url))) {
      this.fail('listUnsubscribe.oneClick', 'range', 'one-click needs an https url (RFC 8058)');
    }
    return Object.freeze({
      ...(url !== undefined && { url }),
      ...(mailto !== undefined && { mailto }),
      ...(oneClick !== undefined && { oneClick }),
    });
  }

  dsn(value: DsnRequest | null | undefined): DsnRequest | null {
    if (value === undefined || value === null) return null;
    if (!this.#hasOnly('dsn', value, ['notify', 'ret', 'envid', 'orcpt'])) return null;
    const { notify: events, ret, envid, orcpt } = value;
    const notify = Array.isArray(events) ? copyList(events) : events;
    if (notify !== undefined && notify !== 'never') {
      const known = ['success', 'failure', 'delay'];
      if (!Array.isArray(notify) || notify.length === 0 || !notify.every((event) => known.includes(event))) {
        this.fail('dsn.notify', 'range', "must be 'never' or a list of 'success', 'failure', 'delay'");
      }
    }
    this.oneOf('dsn.ret', ret, ['full', 'headers']);
    if (envid !== undefined && !(typeof envid === 'string' && /^[\x20-\x7e]{1,100}$/.test(envid))) {
      this.fail('dsn.envid', 'range', 'must be 1 to 100 printable ASCII characters (RFC 3461, section 4.4)');
    }
    if (orcpt !== undefined && !(typeof orcpt === 'string' && /^[A-Za-z0-9-]+;[^\p{Cc}\s]{1,400}$/u.test(orcpt))) {
      this.fail('dsn.orcpt', 'range', "must look like 'rfc822;user@example.com' (RFC 3461, section 4.2)");
    }
    return Object.freeze({
      ...(notify !== undefined && { notify: Object.freeze(notify) }),
      ...(ret !== undefined && { ret }),
      ...(envid !== undefined && { envid }),
      ...(orcpt !== undefined && { orcpt }),
    });
  }

  /** A copy of the caller's list; its entries are not checked yet. */
  #list<T>(path: string, value: readonly T[] | null | undefined, advice: string): readonly T[] {
    if (value === undefined || value === null) return NONE;
    if (Array.isArray(value)) return copyList(value);
    this.fail(path, 'type', advice);
    return NONE;
  }

  #hasOnly(path: string, value: object, known: readonly string[]): boolean {
    if (typeof value !== 'object' || Array.isArray(value)) {
      this.fail(path, 'type', `must be an object with ${known.join(', ')}`);
      return false;
    }
    for (const name of Object.keys(value)) {
      if (!known.includes(name)) this.fail(`${path}.${name}`, 'unknown-field', `known are ${known.join(', ')}`);
    }
    return true;
  }
}

/** Whether a text is the name of a header (RFC 5322, section 2.2) that fits on a line. */
export function isHeaderName(text: string): boolean {
  return HEADER_NAME.test(text);
}

function isList(value: AddressList): value is readonly AddressInput[] {
  return Array.isArray(value);
}

// RFC 2369, section 2: the URI is written in angle brackets, so it cannot hold these, spaces or anything beyond ASCII.
function isUri(value: unknown, start: RegExp): boolean {
  return typeof value === 'string' && value.length <= MAX_URI && start.test(value) && /^[!-;=?-~]+$/.test(value);
}
