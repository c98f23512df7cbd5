import { hasControlCharacter } from './command-parser.ts';

const CR = 13;
const LF = 10;

/** A line that must not be carried out: the reply to it, and whether the rest of the input cannot be trusted either. */
export class LineFault {
  readonly reply: string;
  readonly isFatal: boolean;

  constructor(reply: string, isFatal: boolean) {
    this.reply = reply;
    this.isFatal = isFatal;
  }
}

const BARE_LF = /* @__PURE__ */ new LineFault('521 5.5.2 Lines end with CRLF, not with LF alone', true);
const CONTROL = /* @__PURE__ */ new LineFault('500 5.5.2 Control characters and broken UTF-8 are not allowed', false);

/** The client's bytes that have not been used yet. */
export class InputBuffer {
  bytes: Buffer = Buffer.alloc(0);
  /** Offset of the first unused byte. */
  position = 0;

  /** The number of unused bytes. */
  get waiting(): number {
    return this.bytes.length - this.position;
  }

  /** Adds bytes, copying only when there are unused ones. */
  append(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.bytes = this.waiting === 0 ? chunk : Buffer.concat([this.bytes.subarray(this.position), chunk]);
    this.position = 0;
  }

  /** Takes a line of at most `limit` bytes, without its CRLF; null when none is complete. */
  takeLine(limit: number): string | LineFault | null {
    const { bytes, position } = this;
    const lf = bytes.indexOf(LF, position);
    if ((lf === -1 ? bytes.length : lf) - position > limit)
      return new LineFault(`500 5.5.6 A line may have ${limit} octets`, true);
    if (lf === -1) return null;
    this.position = lf + 1;
    if (lf === position || bytes[lf - 1] !== CR) return BARE_LF;
    const line = bytes.toString('utf8', position, lf - 1);
    return hasControlCharacter(line) || line.includes('\ufffd') ? CONTROL : line;
  }
}
