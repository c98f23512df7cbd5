const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const LINE_BYTES = 57; // 76 characters (RFC 2045, section 6.8)
const LINE_LENGTH = 78;
const STEP_LINES = 512;

/** Bytes encoded per step of {@link base64Steps}: whole lines, small enough to stay in the processor's cache. */
export const BASE64_STEP: number = LINE_BYTES * STEP_LINES;

/** The two characters for each 12-bit value, as one number in this machine's byte order; made at the first use. */
let pairs: Readonly<Uint16Array> | null = null;
const CRLF = /* @__PURE__ */ pairOf(0x0d, 0x0a);

const scratchBytes = /* @__PURE__ */ new Uint8Array(STEP_LINES * LINE_LENGTH);
const scratch = /* @__PURE__ */ asPairs(scratchBytes);

function asPairs(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer);
}

function pairOf(first: number, second: number): number {
  return asPairs(Uint8Array.of(first, second))[0] ?? 0;
}

function allPairs(): Uint16Array {
  const bytes = new Uint8Array(2 * 4096);
  for (let bits = 0; bits < 4096; bits++) {
    bytes[2 * bits] = ALPHABET.charCodeAt(bits >> 6);
    bytes[2 * bits + 1] = ALPHABET.charCodeAt(bits & 63);
  }
  return asPairs(bytes);
}

/** The length of that many bytes in base64, line ends included. */
export function base64Length(bytes: number): number {
  const rest = bytes % LINE_BYTES;
  return ((bytes - rest) / LINE_BYTES) * LINE_LENGTH + (rest === 0 ? 0 : Math.ceil(rest / 3) * 4 + 2);
}

/** Writes `source` in base64 lines of 76 characters, each ended by CRLF, and returns the offset after the last. */
export function encodeBase64(source: Uint8Array, target: Uint8Array, offset = 0): number {
  let at = offset;
  for (const step of base64Steps(source)) {
    target.set(step, at);
    at += step.length;
  }
  return at;
}

/** Encodes `source` step by step. All steps share one buffer: use each before anything else is encoded, without an `await`. */
export function* base64Steps(source: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let from = 0; from < source.length; from += BASE64_STEP) {
    const length = encodeStep(source, from, Math.min(from + BASE64_STEP, source.length));
    yield length === scratchBytes.length ? scratchBytes : scratchBytes.subarray(0, length);
  }
}

/** Two writes of two characters per loop: faster than cutting the result of the built-in base64 into lines. */
function encodeStep(source: Uint8Array, from: number, to: number): number {
  pairs ??= allPairs();
  const table = pairs; // read as a variable of the function, it is not looked up for every character
  let out = 0;
  let at = from;
  for (const lastLine = to - ((to - from) % LINE_BYTES); at < lastLine; ) {
    for (const end = at + LINE_BYTES; at < end; at += 3) {
      // Within bounds: whole lines only.
      const bits = ((source[at] as number) << 16) | ((source[at + 1] as number) << 8) | (source[at + 2] as number);
      scratch[out] = table[bits >> 12] as number;
      scratch[out + 1] = table[bits & 0xfff] as number;
      out += 2;
    }
    scratch[out++] = CRLF;
  }
  if (at === to) return out * 2;
  for (; at < to; at += 3) {
    const bits = ((source[at] ?? 0) << 16) | ((source[at + 1] ?? 0) << 8) | (source[at + 2] ?? 0);
    scratch[out++] = table[bits >> 12] ?? 0;
    scratch[out++] = table[bits & 0xfff] ?? 0;
  }
  for (let padding = at - to, last = out * 2; padding > 0; padding--) scratchBytes[last - padding] = 0x3d;
  scratch[out++] = CRLF;
  return out * 2;
}
