const CRLF_DOT: Uint8Array = /* @__PURE__ */ Buffer.from('\r\n.');
const DOT = 0x2e;
const CR = 0x0d;
const LF = 0x0a;
const DOT_BYTES: Uint8Array = /* @__PURE__ */ Buffer.from('.');
const CRLF_BYTES: Uint8Array = /* @__PURE__ */ Buffer.from('\r\n');

/**
 * Doubles the dot at the start of every line (RFC 5321, section 4.5.2), whatever the borders of the chunks, and ends the
 * last line; bytes are passed on in slices, never copied.
 */
export class DotStuffer {
  readonly #write: (bytes: Uint8Array) => void;
  /** What of CRLF the bytes so far end with; content begins at the start of a line. */
  #tail: 'crlf' | 'cr' | 'text' = 'crlf';

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let start = 0;
    if (this.#tail === 'crlf' && bytes[0] === DOT) this.#write(DOT_BYTES);
    if (this.#tail === 'cr' && bytes[0] === LF && bytes[1] === DOT) {
      this.#write(bytes.subarray(0, 1));
      this.#write(DOT_BYTES);
      start = 1;
    }
    for (let at = bytes.indexOf(CRLF_DOT, start); at >= 0; at = bytes.indexOf(CRLF_DOT, start)) {
      this.#write(bytes.subarray(start, at + 3));
      this.#write(DOT_BYTES);
      start = at + 3;
    }
    if (start < bytes.length) this.#write(start === 0 ? bytes : bytes.subarray(start));
    const last = bytes[bytes.length - 1];
    const before = bytes.length > 1 ? bytes[bytes.length - 2] === CR : this.#tail === 'cr';
    this.#tail = last === LF && before ? 'crlf' : last === CR ? 'cr' : 'text';
  }

  /** Ends the last line where the content did not. */
  end(): void {
    if (this.#tail !== 'crlf') this.#write(CRLF_BYTES);
  }
}
