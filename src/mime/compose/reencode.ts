import { readContent } from '../read/content.ts';
import { type MimePart, readMime } from '../read/mime-tree.ts';
import { base64Steps } from './base64.ts';
import { EIGHT_BIT, isFit } from './fit.ts';
import { reencodeHeaders } from './reencode-headers.ts';

const MAY_BE_EIGHT_BIT = /^(?:8bit|binary)$/;

/**
 * Encodes those leaf parts of a mail that cannot be sent as they are (RFC 2045, section 6.4), and changes nothing else.
 *
 * @param mail The mail in Latin-1, with CRLF line ends.
 * @returns null when its structure cannot be read.
 */
export function reencodeMail(mail: string, allow8bit: boolean): string | null {
  const bytes = Buffer.from(mail, 'latin1');
  const { root, isComplete } = readMime(bytes);
  return isComplete ? new Writer(mail, bytes, allow8bit).write(root) : null;
}

class Writer {
  readonly #mail: string;
  readonly #bytes: Uint8Array;
  readonly #allow8bit: boolean;

  constructor(mail: string, bytes: Uint8Array, allow8bit: boolean) {
    this.#mail = mail;
    this.#bytes = bytes;
    this.#allow8bit = allow8bit;
  }

  /** Writes a part with its headers; null when it cannot be written. */
  write(part: MimePart): string | null {
    const head = this.#mail.slice(part.headerStart, part.start);
    if (part.children.length > 0) return this.#writeContainer(part, head);
    const content = this.#mail.slice(part.start, part.end);
    if (isFit(content, this.#allow8bit)) return this.#head(head, null) + content;
    // A multipart without usable delimiters, or a forwarded mail that is encoded already, is not a leaf to encode.
    if (part.mediaType.startsWith('multipart/') || part.mediaType === 'message/rfc822') return null;
    return this.#head(head, 'base64') + inBase64(readContent(this.#bytes, part));
  }

  #writeContainer(part: MimePart, head: string): string | null {
    let content = '';
    let at = part.start;
    for (const child of part.children) {
      const written = this.write(child);
      if (written === null) return null;
      content += this.#between(at, child.headerStart) + written;
      at = child.end;
    }
    content += this.#between(at, part.end);
    const isAscii = MAY_BE_EIGHT_BIT.test(part.encoding) && !EIGHT_BIT.test(content);
    return this.#head(head, isAscii ? '7bit' : null) + content;
  }

  /** Writes delimiters, preamble and epilogue, which no reader shows. */
  #between(from: number, to: number): string {
    const text = this.#mail.slice(from, to);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
    return isFit(text, this.#allow8bit) ? text : text.replace(this.#allow8bit ? /\0/g : /[^\x01-\x7f]/g, '?');
  }

  #head(head: string, encoding: string | null): string {
    return reencodeHeaders(head, encoding, this.#allow8bit);
  }
}

/** Without the last line break, which belongs to the next delimiter. */
function inBase64(content: Uint8Array): string {
  let lines = '';
  for (const { buffer, byteOffset, length } of base64Steps(content)) {
    lines += Buffer.from(buffer, byteOffset, length).toString('latin1');
  }
  return lines.slice(0, -2);
}
