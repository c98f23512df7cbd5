import { MessageError, type MessageIssue } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';

/** A message tag, for events and statistics. */
export interface EmailTag {
  readonly Name: string;
  readonly Value: string;
}

/** The tags and metadata of a message, as they were before they became message tags of SES. */
export interface DecodedEmailTags {
  /** The tags of the message. */
  readonly tags: readonly string[];
  /** Its metadata by key. */
  readonly metadata: Readonly<Record<string, string>>;
}

// SES takes letters, digits, `_` and `-` only, which is also the alphabet of base64url, up to 255 characters.
const LEGAL = /^[A-Za-z0-9_-]+$/;
const LONE_SURROGATE = /\p{Cs}/u;
const MAX_LENGTH = 255;
const ENCODED = 'b64-';
const METADATA = 'metadata_';
const TAG_VALUE = 'true';
/** Ours; what SES itself bears is not published. */
const MAX_TAGS = 50;

/**
 * The tags and metadata of a message as message tags of SES: a tag is a name with the value `true`, metadata is
 * `metadata_KEY`; what SES does not allow in names and values becomes `b64-` and base64url, so that nothing is lost.
 *
 * @throws {MessageError} `invalid-message` for over 50 of them, or one that is over 255 characters when encoded.
 */
export function encodeEmailTags({ tags, metadata }: Pick<EmailMessage, 'tags' | 'metadata'>): readonly EmailTag[] {
  const issues: MessageIssue[] = [];
  const encoded: EmailTag[] = [];
  const add = (path: string, Name: string, Value: string) => {
    if (Name.length > MAX_LENGTH || Value.length > MAX_LENGTH) {
      const message = `SES takes ${MAX_LENGTH} letters, digits, '_' and '-', or 188 bytes of other text, less the prefix: shorten it`;
      issues.push({ path, code: 'too-long', message });
    }
    encoded.push({ Name, Value });
  };
  for (const [index, tag] of tags.entries()) {
    issues.push(...halfIssues(`tags[${index}]`, tag));
    add(`tags[${index}]`, encode(tag, METADATA), TAG_VALUE);
  }
  for (const [key, value] of Object.entries(metadata)) {
    issues.push(...halfIssues(`metadata.${key}`, `${key} ${value}`));
    add(`metadata.${key}`, METADATA + encode(key), encode(value));
  }
  if (encoded.length > MAX_TAGS) {
    const message = `SES takes ${MAX_TAGS} tags and metadata entries together, these are ${encoded.length}`;
    issues.push({ path: 'tags', code: 'too-many', message });
  }
  if (issues.length > 0) throw new MessageError(issues);
  return encoded;
}

/**
 * Reads tags and metadata back from `mail.tags` of an SES event, where each name has a list of values; names that this
 * library did not write (`ses:source-ip`) are left out.
 */
export function decodeEmailTags(eventTags: Readonly<Record<string, readonly string[]>>): DecodedEmailTags {
  const tags: string[] = [];
  const metadata: Record<string, string> = {};
  for (const [name, [value]] of Object.entries(eventTags)) {
    if (!LEGAL.test(name) || value === undefined) continue;
    if (name.startsWith(METADATA)) {
      // Not by assignment, which would change the prototype for the name __proto__.
      const entry = { value: decode(value), enumerable: true, writable: true, configurable: true };
      Object.defineProperty(metadata, decode(name.slice(METADATA.length)), entry);
    } else if (value === TAG_VALUE) tags.push(decode(name));
  }
  return { tags, metadata };
}

function halfIssues(path: string, text: string): readonly MessageIssue[] {
  const message = 'it has half of a character (a lone surrogate), which UTF-8 cannot carry';
  return LONE_SURROGATE.test(text) ? [{ path, code: 'range', message }] : [];
}

/** Legal text stays as it is, unless it could be taken for encoded text, or begins with what is `reserved`. */
function encode(text: string, reserved?: string): string {
  const isPlain = LEGAL.test(text) && !text.startsWith(ENCODED) && !(reserved && text.startsWith(reserved));
  return isPlain ? text : ENCODED + Buffer.from(text, 'utf8').toString('base64url');
}

function decode(text: string): string {
  return text.startsWith(ENCODED) ? Buffer.from(text.slice(ENCODED.length), 'base64url').toString('utf8') : text;
}
