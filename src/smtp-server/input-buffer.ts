import { hasControlCharacter } from './command-parser.ts';

const CR = 13;
const LF = 10;

/** A line that must not be obeyed: the reply it gets, and whether the rest of the input can still be trusted. */
export class LineFault {
  readonly reply: string;
  readonly fatal: boolean;

  constructor(reply: string, fatal: boolean) {
    this.reply = reply;
    this.fatal = fatal;
  }
}

const BARE_LF = /* @__PURE__ */ new LineFault('521 5.5.2 Lines end with CRLF, not with LF alone', true);
const CONTROL = /* @__PURE__ */ new LineFault('500 5.5.2 Control characters and broken UTF-8 are not allowed', false);

/** The octets that came from the client and are not used up yet. */
export class InputBuffer {
  bytes: Buffer = Buffer.alloc(0);
  /** The first octet not used yet. */
  position = 0;

  /** How many octets wait. */
  get waiting(): number {
    return this.bytes.length - this.position;
  }

  /** Adds octets; they are copied only when others wait. */
  append(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.bytes = this.waiting === 0 ? chunk : Buffer.concat([this.bytes.subarray(this.position), chunk]);
    this.position = 0;
  }

  /** Takes a line of at most `limit` octets, without its CRLF; null when none has come to its end. */
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
