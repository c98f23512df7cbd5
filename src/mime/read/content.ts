import { decodeCharset } from './decode-words.ts';
import type { MimePart } from './mime-tree.ts';

const PADDING = 0x3d;

/** Decodes the content of a leaf part (RFC 2045, section 6); malformed encodings give what can be read. */
export function readContent(bytes: Uint8Array, part: MimePart): Uint8Array {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset + part.start, part.end - part.start);
  if (part.encoding === 'base64') return decodeBase64(raw);
  return part.encoding === 'quoted-printable' ? decodeQuotedPrintable(raw) : raw;
}

/** Decodes the content of a leaf part as text in its charset. */
export function readText(bytes: Uint8Array, part: MimePart): string {
  return decodeCharset(readContent(bytes, part), part.parameters['charset'] ?? '');
}

/** Node's decoder stops at padding, which occurs in the middle where pieces were joined. */
function decodeBase64(raw: Buffer): Buffer {
  const text = raw.toString('latin1');
  if (!/=\s*[^=\s]/.test(text)) return Buffer.from(text, 'base64');
  return decodePieces(raw);
}

/** The six bits of each character, of the alphabet for URLs too, as Node's decoder has it; -1 is none. */
const SEXTETS = /* @__PURE__ */ sextets();

function sextets(): Int8Array {
  const table = new Int8Array(256).fill(-1);
  for (const last of ['+/', '-_']) {
    const alphabet = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${last}`;
    for (let bits = 0; bits < 64; bits += 1) table[alphabet.charCodeAt(bits)] = bits;
  }
  return table;
}

/** Decodes pieces that each end with padding, in one pass, since there may be millions. */
function decodePieces(raw: Buffer): Buffer {
  const out = Buffer.allocUnsafe(Math.ceil((raw.length * 3) / 4));
  let length = 0;
  let bits = 0;
  let count = 0;
  for (let at = 0; at <= raw.length; at++) {
    const byte = raw[at] ?? PADDING;
    const sextet = SEXTETS[byte] ?? -1;
    if (sextet >= 0) {
      bits = (bits << 6) | sextet;
      count++;
    } else if (byte === PADDING) {
      bits <<= 6 * (4 - count);
    } else continue;
    if (count < 4 && sextet >= 0) continue;
    for (let n = 1; n < count; n++) out[length++] = bits >> (24 - 8 * n);
    bits = 0;
    count = 0;
  }
  return out.subarray(0, length);
}

function decodeQuotedPrintable(raw: Buffer): Buffer {
  const out = Buffer.allocUnsafe(raw.length);
  let length = 0;
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] ?? 0;
    if (byte !== 0x3d) {
      out[length++] = byte;
      continue;
    }
    let next = at + 1;
    while (raw[next] === 0x20 || raw[next] === 0x09) next++; // white space added in transit
    if (raw[next] === 0x0d && raw[next + 1] === 0x0a) at = next + 1;
    else if (raw[next] === 0x0a) at = next;
    else {
      const value = hexValue(raw[at + 1]) * 16 + hexValue(raw[at + 2]);
      if (value >= 0) at += 2;
      out[length++] = value >= 0 ? value : byte;
    }
  }
  return out.subarray(0, length);
}

function hexValue(byte: number | undefined): number {
  const digit = Number.parseInt(String.fromCharCode(byte ?? 0), 16);
  return Number.isNaN(digit) ? -1000 : digit;
}
