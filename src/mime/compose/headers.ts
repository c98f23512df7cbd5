import { type Group, isGroup, type Mailbox } from '../../model/address.ts';
import { NON_ASCII } from '../../model/domain.ts';
import { MessageError, type MessageIssueCode } from '../../model/errors.ts';
import { LINE_CONTROL } from '../../util/line.ts';
import { encodeWords, LAST_WORD_COLUMN } from './encoded-word.ts';

const MAX_LINE = 78; // RFC 5322, section 2.1.1
const MAX_ENCODED_LINE = 76; // RFC 2047, section 2
/** No shorter form contains a line break. */
const MAX_FORM = 60;
const HARD_LIMIT = 998;

/** Printable ASCII words separated by single spaces, which every reader unfolds to the same text. */
const PLAIN = /^(?:[!-~]+(?: [!-~]+)*)?$/;
const ATOMS = /^[\w!#$%&'*+/=?^`{|}~-]+(?: [\w!#$%&'*+/=?^`{|}~-]+)*$/;
const QUOTABLE = /^(?:[!#-[\]-~]+(?: [!#-[\]-~]+)*)$/;
const MAX_QUOTED = 60;
const BREAK = /[\0\r\n]/;
/** Anything that ends a line without a continuation: no header may contain it. */
const END_OF_HEADER = /\0|\r(?!\n)|(?<!\r)\n|\n(?! [^\0\r\n])/;

/**
 * Writes a header of free text, folded at spaces. Text that is not ASCII, that has spaces which folding could change or that
 * looks like an encoded-word becomes encoded-words, so that it reads back unchanged (RFC 2047, section 5 (1)).
 *
 * @param encodesLong Whether to encode a word too long for a line too; without it, only one over 998 (RFC 5322, section
 * 2.1.1), since programs that read the header may not know encoded-words.
 */
export function textHeader(name: string, value: string, encodesLong: boolean): string {
  if (PLAIN.test(value) && !value.includes('=?')) {
    if (name.length + 2 + value.length <= MAX_LINE) return finish(name, ` ${value}`);
    if (longestWord(name, value) <= (encodesLong ? MAX_LINE : HARD_LIMIT)) return foldHeader(name, value.split(' '));
  }
  if (LINE_CONTROL.test(value)) throw controlError(name);
  const column = name.length + 2;
  const words = column > LAST_WORD_COLUMN ? `\r\n ${encodeWords(value, 1)}` : ` ${encodeWords(value, column)}`;
  return finish(name, words);
}

/**
 * Writes a header that programs read, such as List-Unsubscribe: folded at spaces, never encoded.
 *
 * @throws {MessageError} `invalid-message` when it is not printable ASCII or contains a word over 998.
 */
export function structuredHeader(name: string, value: string): string {
  if (!PLAIN.test(value)) {
    throw headerError(name, 'range', 'this header must be printable ASCII with single spaces: programs read it');
  }
  return foldHeader(name, value.split(' '));
}

/**
 * Writes a header of ASCII words, folded between them so that no line is over 78 unless a word is.
 *
 * @throws {MessageError} `invalid-message` when a word is too long for any line.
 */
export function foldHeader(name: string, words: readonly string[]): string {
  const [only = ''] = words;
  if (words.length === 1 && name.length + 2 + only.length <= MAX_ENCODED_LINE) return finish(name, ` ${only}`);
  let lines = '';
  let column = name.length + 1;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const firstLine = word.indexOf('\r\n');
    const width = firstLine < 0 ? word.length : firstLine;
    const needed = column + 1 + width;
    if (width >= HARD_LIMIT) throw tooLong(name);
    const limit = word.includes('=?UTF-8?') ? MAX_ENCODED_LINE : MAX_LINE;
    // The first word stays beside the name, unless a line of its own brings it below a limit.
    if (needed > limit && (index > 0 || 1 + width <= limit || needed > HARD_LIMIT)) {
      lines += `\r\n ${word}`;
      column = 1 + width;
    } else {
      lines += ` ${word}`;
      column += 1 + width;
    }
    if (firstLine >= 0) column = word.length - word.lastIndexOf('\n') - 1;
  }
  return finish(name, lines);
}

/** Writes a header of mailboxes and groups (RFC 5322, section 3.4), folded between them. */
export function addressHeader(name: string, addresses: readonly (Mailbox | Group)[]): string {
  const [only] = addresses;
  if (addresses.length === 1 && only && !isGroup(only)) return mailboxHeader(name, only);
  let lines = '';
  let column = name.length + 1;
  const add = (form: string, end: string) => {
    const needed = column + 1 + form.length + end.length;
    if (needed <= MAX_ENCODED_LINE) {
      lines += ` ${form}${end}`;
      column = needed;
      return;
    }
    // A form with its own line breaks was written for the column where it begins.
    const hasBreaks = form.length > MAX_FORM && form.includes('\r\n');
    const isFirst = lines === '';
    lines += isFirst && (hasBreaks || form.length >= MAX_ENCODED_LINE) ? ` ${form}${end}` : `\r\n ${form}${end}`;
    column = hasBreaks ? form.length - form.lastIndexOf('\n') - 1 + end.length : 1 + form.length + end.length;
  };
  for (let index = 0; index < addresses.length; index++) {
    const entry = addresses[index] as Mailbox | Group; // below the length
    const end = index < addresses.length - 1 ? ',' : '';
    const start = index === 0 ? name.length + 2 : 1;
    if (!isGroup(entry)) add(formatMailbox(entry, start), end);
    else {
      const { members } = entry;
      add(formatPhrase(entry.name, start), members.length === 0 ? `:;${end}` : ':');
      members.forEach((member, at) => {
        add(formatMailbox(member, 1), at < members.length - 1 ? ',' : `;${end}`);
      });
    }
  }
  return finish(name, lines);
}

/** Most messages of a process have the same sender. */
let last: { readonly name: string; readonly mailbox: Mailbox; readonly header: string } | null = null;

function mailboxHeader(name: string, mailbox: Mailbox): string {
  if (last?.mailbox === mailbox && last.name === name) return last.header;
  const form = formatMailbox(mailbox, name.length + 2);
  const header = finish(name, ` ${form}`);
  if (name === 'From') last = { name, mailbox, header };
  return header;
}

function formatMailbox({ name, asciiAddress }: Mailbox, column: number): string {
  if (name === '') return asciiAddress;
  const phrase = formatPhrase(name, column);
  if (column + phrase.length + 4 + asciiAddress.length <= MAX_ENCODED_LINE) return `${phrase} <${asciiAddress}>`;
  const lastBreak = phrase.lastIndexOf('\n');
  const end = lastBreak < 0 ? column + phrase.length : phrase.length - lastBreak - 1;
  return `${phrase}${end + 4 + asciiAddress.length > MAX_ENCODED_LINE ? '\r\n' : ''} <${asciiAddress}>`;
}

function formatPhrase(name: string, column: number): string {
  if (name.length <= MAX_QUOTED && !NON_ASCII.test(name) && !name.includes('=?')) {
    if (ATOMS.test(name)) return name;
    if (QUOTABLE.test(name)) return `"${name}"`;
  }
  return encodeWords(name, column);
}

/** Joins a header's name and lines, each with a leading space; no name or line can start another header. */
function finish(name: string, lines: string): string {
  if (BREAK.test(name)) throw controlError(JSON.stringify(name));
  if (END_OF_HEADER.test(lines)) throw controlError(name);
  return `${name}:${lines}\r\n`;
}

function controlError(name: string): MessageError {
  return headerError(name, 'control-character', 'remove line breaks and other control characters');
}

/** The length of the longest line after folding at spaces. */
function longestWord(name: string, value: string): number {
  const words = value.split(' ');
  return words.reduce((longest, word) => Math.max(longest, word.length + 1), name.length + 2 + (words[0] ?? '').length);
}

function tooLong(name: string): MessageError {
  return headerError(
    name,
    'too-long',
    'shorten it: a line breaks at a space only, and none may be over 998 characters',
  );
}

export function headerError(name: string, code: MessageIssueCode, message: string): MessageError {
  return new MessageError([{ path: `headers.${name}`, code, message }]);
}
