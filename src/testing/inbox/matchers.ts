import type { MadeOutbox } from '../../connection/outbox.ts';
import { links } from '../codes.ts';
import { enqueued } from './enqueued.ts';
import { Inbox } from './inbox.ts';
import { InboxMessage } from './inbox-message.ts';
import {
  checkEnqueuedMatch,
  checkMatch,
  checkText,
  describeMatch,
  describeMessage,
  describeMessages,
  type EnqueuedMatch,
  isEnqueuedMatch,
  isMatch,
  isRecipient,
  isText,
  type MessageMatch,
  show,
} from './message-match.ts';

/** The result of a matcher, as `expect.extend` of Vitest and Jest requires it. */
export interface MatcherResult {
  /** Whether the expectation is met. */
  readonly pass: boolean;
  /** Why the expectation, or its negation, is not met. */
  readonly message: () => string;
}

/** The attachment that {@link MailMatchers.toHaveAttachment} looks for. */
export interface AttachmentMatch {
  /** The whole name, or a pattern. */
  readonly filename?: string | RegExp;
  /** The media type without parameters. */
  readonly mimetype?: string;
  /** The Content-ID without brackets. */
  readonly contentId?: string;
  /** Byte for byte; a string as UTF-8. */
  readonly content?: string | Uint8Array;
}

/** The matchers for an inbox, for its messages and for an outbox; `Result` is what the test runner's matchers return. */
export interface MailMatchers<Result = void> {
  /** Inbox: a message that matches was sent; without a match, any message. */
  toHaveSent(match?: MessageMatch): Result;
  /** Inbox: exactly `count` messages that match were sent; without a match, in all. */
  toHaveSentTimes(count: number, match?: MessageMatch): Result;
  /** Inbox: nothing was sent. */
  toHaveSentNothing(): Result;
  /** Outbox: a mail that matches waits in it; without a match, any mail. Await it. */
  toHaveEnqueued(match?: EnqueuedMatch): Promise<Result>;
  /** Message: a recipient with that address got it, in To, Cc or Bcc. */
  toHaveRecipient(address: string | RegExp): Result;
  /** Message: has that whole subject, or one that matches. */
  toHaveSubject(subject: string | RegExp): Result;
  /** Message: its HTML or text links to that URL. */
  toHaveLink(link: string | RegExp): Result;
  /** Message: has an attachment or inline image with that file name, or with these fields. */
  toHaveAttachment(attachment: string | RegExp | AttachmentMatch): Result;
  /** Message: has that header; with a value, one that equals or matches it. */
  toHaveHeader(name: string, value?: string | RegExp): Result;
}

/** One matcher, as `expect.extend` requires it. */
export type MailMatcher<Name extends keyof MailMatchers> = (
  received: unknown,
  ...expected: Parameters<MailMatchers[Name]>
) => ReturnType<MailMatchers[Name]> extends Promise<unknown> ? Promise<MatcherResult> : MatcherResult;

const ATTACHMENT_FIELDS: readonly string[] = ['filename', 'mimetype', 'contentId', 'content'];

/** The matchers, for `expect.extend(mailMatchers)`. */
export const mailMatchers: { readonly [Name in keyof MailMatchers]: MailMatcher<Name> } = /* @__PURE__ */ Object.freeze(
  {
    toHaveSent: (received: unknown, match: MessageMatch = {}) => {
      checkMatch(match);
      return judgeInbox(received, describeMatch(match), (inbox) => inbox.find(match) !== null);
    },

    toHaveSentTimes: (received: unknown, count: number, match: MessageMatch = {}) => {
      checkMatch(match);
      return judgeInbox(
        received,
        `${describeMatch(match)} ${count} times`,
        ({ messages }) => messages.filter((message) => isMatch(message, match)).length === count,
      );
    },

    toHaveSentNothing: (received: unknown) => judgeInbox(received, 'nothing', ({ messages }) => messages.length === 0),

    toHaveEnqueued: async (received: unknown, match: EnqueuedMatch = {}) => {
      if (!isOutbox(received)) return misused('an outbox', received);
      checkEnqueuedMatch(match);
      const found = await enqueued(received);
      const pass = found.some((message) => isEnqueuedMatch(message, match));
      const told = `${describeMatch(match)}; ${describeMessages(found, 'enqueued')}`;
      return { pass, message: () => `expected ${verb(pass)} enqueued ${told}` };
    },

    toHaveRecipient: (received: unknown, address: string | RegExp) => {
      checkText('the recipient', address);
      return judgeMessage(received, `the recipient ${show(address)}`, (message) => ({
        pass: isRecipient(message, address),
        found: message.recipients,
      }));
    },

    toHaveSubject: (received: unknown, subject: string | RegExp) => {
      checkText('the subject', subject);
      return judgeMessage(received, `the subject ${show(subject)}`, (message) => ({
        pass: isText(message.subject, subject),
        found: [message.subject],
      }));
    },

    toHaveLink: (received: unknown, link: string | RegExp) => {
      checkText('a link to', link);
      return judgeMessage(received, `a link to ${show(link)}`, (message) => {
        const found = links(message);
        return { pass: found.some((each) => isText(each, link)), found };
      });
    },

    toHaveAttachment: (received: unknown, wanted: string | RegExp | AttachmentMatch) => {
      const match: AttachmentMatch =
        typeof wanted === 'string' || wanted instanceof RegExp ? { filename: wanted } : wanted;
      checkAttachmentMatch(match);
      const content = match.content === undefined ? null : Buffer.from(match.content);
      const parts = Object.entries({ ...match, ...(content && { content: `of ${content.length} bytes` }) });
      const text = parts.map(([name, value]) => `${name} ${show(value)}`).join(', ');
      return judgeMessage(received, `an attachment with ${text}`, ({ attachments }) => ({
        pass: attachments.some(
          (attachment) =>
            (match.filename === undefined || isText(attachment.filename ?? '', match.filename)) &&
            (match.mimetype === undefined || attachment.mimetype === match.mimetype.toLowerCase()) &&
            (match.contentId === undefined || attachment.contentId === match.contentId) &&
            (content?.equals(attachment.content) ?? true),
        ),
        found: attachments.map(
          ({ filename, mimetype, contentId, content: { length } }) =>
            `${filename ?? `cid:${contentId}`} (${mimetype}, ${length} bytes)`,
        ),
      }));
    },

    toHaveHeader: (received: unknown, name: string, value?: string | RegExp) => {
      if (value !== undefined) checkText(name, value);
      return judgeMessage(
        received,
        value === undefined ? `the header ${name}` : `${name}: ${show(value)}`,
        ({ headers }) => {
          const same = headers.filter((header) => header.name.toLowerCase() === name.toLowerCase());
          const pass = same.some((header) => value === undefined || isText(header.value, value));
          const shown = same.length > 0 ? same : headers;
          return { pass, found: shown.map((header) => `${header.name}: ${header.value}`) };
        },
      );
    },
  },
);

function checkAttachmentMatch(match: AttachmentMatch): void {
  if (typeof match !== 'object' || match === null)
    throw new TypeError(`an attachment is meant by its name or fields, not by ${show(match)}`);
  for (const [name, value] of Object.entries(match)) {
    if (!ATTACHMENT_FIELDS.includes(name))
      throw new TypeError(`there is no field ${name}: give ${ATTACHMENT_FIELDS.join(', ')}`);
    if (!(value instanceof Uint8Array && name === 'content')) checkText(name, value);
  }
}

function judgeInbox(received: unknown, wanted: string, check: (inbox: Inbox) => boolean): MatcherResult {
  if (!(received instanceof Inbox)) return misused('an inbox, from createInbox() or useInbox()', received);
  const pass = check(received);
  return { pass, message: () => `expected ${verb(pass)} sent ${wanted}; ${describeMessages(received.messages)}` };
}

/** By shape: what `getConnection('outbox')` makes loads its own. */
function isOutbox(received: unknown): received is MadeOutbox {
  const { list, message, flush } = (received ?? {}) as Partial<MadeOutbox>; // any value can be asked for these
  return typeof list === 'function' && typeof message === 'function' && typeof flush === 'function';
}

function judgeMessage(
  received: unknown,
  wanted: string,
  check: (message: InboxMessage) => { readonly pass: boolean; readonly found: readonly string[] },
): MatcherResult {
  if (!(received instanceof InboxMessage)) return misused('a message of an inbox, such as inbox.last', received);
  const { pass, found } = check(received);
  const list = found.length === 0 ? 'there is none' : `found:\n- ${found.join('\n- ')}`;
  const message = () => `expected the message ${verb(pass)} ${wanted}; ${list}\nin ${describeMessage(received)}`;
  return { pass, message };
}

function verb(pass: boolean): string {
  return pass ? 'not to have' : 'to have';
}

/** A value of the wrong kind is a mistake in the test, which `.not` must not hide. */
function misused(wanted: string, received: unknown): never {
  const what =
    received === null || received === undefined ? `there is none (${received})` : `this is ${typeof received}`;
  throw new TypeError(`expected ${wanted}, but ${what}`);
}
