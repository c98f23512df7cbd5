import type { ServerReply } from '../../model/errors.ts';

/** The longest reply line taken, in octets; RFC 5321 section 4.5.3.1.5 allows 512, servers exceed it. */
const MAX_LINE = 64 * 1024;
/** The longest reply taken, in octets over all its lines. */
const MAX_REPLY = 1024 * 1024;
/** The most lines a reply may have. */
const MAX_LINES = 2048;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const HYPHEN = 0x2d;
const ZERO = 0x30;

/** Bytes that are no SMTP reply; the connection cannot be trusted any more and must be closed. */
export class ReplySyntaxError extends Error {
  override readonly name = 'ReplySyntaxError';
}

/** An enhanced status code at the start of a reply's text (RFC 2034, section 4). */
const ENHANCED = /^([245]\.\d{1,3}\.\d{1,3})(?:[ \t]+|$)/;

/**
 * Parses SMTP replies out of the bytes of a connection (RFC 5321, section 4.2), however they are cut into chunks.
 *
 * `push` calls the sink once for every complete reply; inside the sink, `code` is the reply's code and `read()` decodes its
 * text. Nothing is decoded that nobody reads, so a reply that is only counted costs no string.
 */
export class ReplyParser {
  /** The code of the reply the sink was called for. */
  code = 0;
  readonly #sink: () => void;
  #bytes: Buffer = EMPTY;
  /** Where the current reply, and its current line, begin in `#bytes`. */
  #replyStart = 0;
  #lineStart = 0;
  #replyEnd = 0;
  #lines = 0;
  #lineCode = 0;
  /** Unfinished input, owned by the parser and grown by doubling, so that a reply in single bytes costs linear time. */
  #held: Buffer = EMPTY;
  #heldLength = 0;
  #stopped = false;

  constructor(sink: () => void) {
    this.#sink = sink;
  }

  /** Whether part of a reply has arrived that is not complete yet. */
  get isPartial(): boolean {
    return this.#heldLength > 0;
  }

  /** Ignores everything that is still to come, also the rest of the chunk that is being parsed. */
  stop(): void {
    this.#stopped = true;
    this.#heldLength = 0;
  }

  /**
   * Parses the next bytes.
   *
   * @throws {ReplySyntaxError} when they are not a reply, or one beyond all bounds.
   */
  push(chunk: Buffer): void {
    if (this.#stopped) return;
    if (this.#heldLength > 0) {
      const searched = this.#heldLength;
      this.#hold(chunk);
      this.#parse(this.#held, this.#heldLength, searched);
    } else {
      this.#replyStart = 0;
      this.#lineStart = 0;
      this.#parse(chunk, chunk.length, 0);
    }
  }

  /** How many octets the reply has. */
  get size(): number {
    return this.#replyEnd - this.#replyStart;
  }

  /** How many octets were not understood: the rest of a chunk that is no reply. */
  get unread(): number {
    return this.#bytes.length > 0 ? this.#bytes.length - this.#lineStart : this.#heldLength;
  }

  /** Decodes the lines of the reply the sink was called for, code and all. */
  read(): string {
    const end = this.#bytes[this.#replyEnd - 1] === CR ? this.#replyEnd - 1 : this.#replyEnd;
    return this.#bytes.toString('utf8', this.#replyStart, end);
  }

  #parse(bytes: Buffer, length: number, from: number): void {
    this.#bytes = bytes;
    for (let lf = bytes.indexOf(LF, from); lf >= 0 && lf < length; lf = bytes.indexOf(LF, this.#lineStart)) {
      this.#line(this.#lineStart, lf);
      this.#lineStart = lf + 1;
      if (this.#lines > 0) continue;
      this.#replyEnd = lf;
      this.code = this.#lineCode;
      this.#sink();
      if (this.#stopped) return;
      this.#replyStart = this.#lineStart;
    }
    this.#check(length - this.#lineStart, length - this.#replyStart);
    this.#keep(length);
  }

  /** Checks one line and leaves in `#lines` how many lines the reply has so far, 0 when this line was its last. */
  #line(start: number, lf: number): void {
    const bytes = this.#bytes;
    const end = lf > start && bytes[lf - 1] === CR ? lf - 1 : lf;
    this.#check(lf - start, lf - this.#replyStart);
    const a = (bytes[start] ?? 0) - ZERO;
    const b = (bytes[start + 1] ?? 0) - ZERO;
    const c = (bytes[start + 2] ?? 0) - ZERO;
    if (end - start < 3 || a < 2 || a > 5 || b < 0 || b > 9 || c < 0 || c > 9) {
      throw new ReplySyntaxError('the server sent a line that is not an SMTP reply');
    }
    const code = a * 100 + b * 10 + c;
    const separator = end - start > 3 ? bytes[start + 3] : SPACE;
    if (separator !== SPACE && separator !== HYPHEN) {
      throw new ReplySyntaxError('the server sent a line that is not an SMTP reply');
    }
    if (this.#lines > 0 && code !== this.#lineCode) {
      throw new ReplySyntaxError(`the server mixed the codes ${this.#lineCode} and ${code} in one reply`);
    }
    this.#lineCode = code;
    this.#lines = separator === HYPHEN ? this.#lines + 1 : 0;
    if (this.#lines > MAX_LINES) throw new ReplySyntaxError(`the server sent a reply of more than ${MAX_LINES} lines`);
  }

  #check(line: number, reply: number): void {
    if (line > MAX_LINE) throw new ReplySyntaxError(`the server sent a reply line of more than ${MAX_LINE} octets`);
    if (reply > MAX_REPLY) throw new ReplySyntaxError(`the server sent a reply of more than ${MAX_REPLY} octets`);
  }

  /** Moves what is not yet a whole reply to the front of the held bytes. */
  #keep(length: number): void {
    const start = this.#replyStart;
    if (this.#bytes === this.#held) {
      this.#held.copyWithin(0, start, length);
      this.#heldLength = length - start;
    } else if (start < length) {
      this.#hold(this.#bytes.subarray(start, length));
    }
    this.#lineStart -= start;
    this.#replyStart = 0;
    this.#bytes = EMPTY;
  }

  #hold(bytes: Buffer): void {
    const length = this.#heldLength + bytes.length;
    if (length > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(512, 2 * length));
      this.#held.copy(grown, 0, 0, this.#heldLength);
      this.#held = grown;
    }
    bytes.copy(this.#held, this.#heldLength);
    this.#heldLength = length;
  }
}

/** Takes apart the lines of a reply, code and all. */
export function toServerReply(lines: string): ServerReply {
  const texts = lines.split('\n').map((line) => (line.endsWith('\r') ? line.slice(4, -1) : line.slice(4)));
  return toReply(Number(lines.slice(0, 3)), texts.join('\n'));
}

/** Splits the enhanced status code off the text; one whose class contradicts the code is left in the text (RFC 2034). */
function toReply(code: number, text: string): ServerReply {
  const enhanced = ENHANCED.exec(text)?.[1];
  if (!enhanced || Number(enhanced[0]) !== Math.floor(code / 100)) return { code, enhancedCode: null, text };
  const bare = (line: string) => (line.startsWith(enhanced) ? line.slice(enhanced.length).trimStart() : line);
  return {
    code,
    enhancedCode: enhanced,
    text: text.includes('\n') ? text.split('\n').map(bare).join('\n') : bare(text),
  };
}

const EMPTY: Buffer = /* @__PURE__ */ Buffer.alloc(0);
