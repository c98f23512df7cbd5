const CR = 13;
const LF = 10;
const DOT = 46;
const CRLF_DOT = /* @__PURE__ */ Buffer.from('\r\n.');

/**
 * Reads the content of a mail chunk by chunk, without copying until it is complete.
 *
 * Only CRLF dot CRLF ends DATA; any other combination of CR, LF and dot is content (RFC 5321, section 4.1.1.4): ending it at
 * `LF . LF` would let a second mail be smuggled in (CVE-2023-51764).
 */
export class DataReader {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #size = 0;
  #isLineStart = true;

  /** @param limit Bytes to keep; content beyond it is counted and dropped. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes of content so far, kept or not. */
  get size(): number {
    return this.#size;
  }

  /**
   * Reads dot-stuffed content from `position` on. `next` is the first unused byte, to be passed again with more input;
   * `isDone` is whether the end of the content was read.
   */
  readStuffed(input: Buffer, position: number): { readonly next: number; readonly isDone: boolean } {
    let from = position;
    let dot = this.#isLineStart && input[position] === DOT ? position : this.#nextDot(input, from);
    while (dot !== -1) {
      const after = input[dot + 1];
      if (after === undefined || (after === CR && dot + 2 === input.length)) {
        const keep = dot === from && this.#isLineStart ? dot : dot - 2;
        this.append(input, from, keep);
        return { next: keep, isDone: false };
      }
      this.append(input, from, dot);
      this.#isLineStart = false;
      if (after === CR && input[dot + 2] === LF) return { next: dot + 3, isDone: true };
      from = dot + 1;
      dot = this.#nextDot(input, from);
    }
    const end = input.length;
    const tail = input[end - 1] === CR ? 1 : input[end - 1] === LF && input[end - 2] === CR ? 2 : 0;
    const next = Math.max(from, end - tail);
    this.append(input, from, next);
    return { next, isDone: false };
  }

  /** Adds content that is not dot-stuffed (BDAT). */
  append(input: Buffer, from: number, to: number): void {
    if (to <= from) return;
    this.#isLineStart = false;
    this.#size += to - from;
    if (this.#size <= this.#limit) this.#parts.push(input.subarray(from, to));
    else this.#parts = [];
  }

  /** Returns a copy of the content, which does not keep the socket's buffers alive. */
  take(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #nextDot(input: Buffer, from: number): number {
    const at = input.indexOf(CRLF_DOT, from);
    return at === -1 ? -1 : at + 2;
  }
}

/** Whether there is a CR without LF or an LF without CR (RFC 5321, section 2.3.8). */
export function hasBareNewline(bytes: Buffer): boolean {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at - 1] !== CR) return true;
    lines++;
  }
  for (let at = bytes.indexOf(CR); at !== -1; at = bytes.indexOf(CR, at + 1)) lines -= 1;
  return lines !== 0;
}
