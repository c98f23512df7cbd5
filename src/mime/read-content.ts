import { decodeCharset } from './decode-charset.ts';
import type { MimePart } from './read-mime.ts';

const PADDING = 0x3d;

/** The content of a leaf without its transfer encoding; broken encodings give what can be read (RFC 2045, section 6). */
export function readContent(bytes: Uint8Array, part: MimePart): Uint8Array {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset + part.start, part.end - part.start);
  if (part.encoding === 'base64') return decodeBase64(raw);
  return part.encoding === 'quoted-printable' ? decodeQuotedPrintable(raw) : raw;
}

/** The content of a leaf as text, in its charset. */
export function readText(bytes: Uint8Array, part: MimePart): string {
  return decodeCharset(readContent(bytes, part), part.parameters['charset'] ?? '');
}

/** Padding in the middle, as joined pieces have it, ends Node's own decoder. */
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

/** In one pass, as there may be millions of pieces; each ends with its padding. */
function decodePieces(raw: Buffer): Buffer {
  const out = Buffer.allocUnsafe(Math.ceil((raw.length * 3) / 4));
  let length = 0;
  let bits = 0;
  let count = 0;
  for (let at = 0; at <= raw.length; at += 1) {
    const byte = raw[at] ?? PADDING;
    const sextet = SEXTETS[byte] ?? -1;
    if (sextet >= 0) {
      bits = (bits << 6) | sextet;
      count += 1;
    } else if (byte === PADDING) {
      bits <<= 6 * (4 - count);
    } else continue;
    if (count < 4 && sextet >= 0) continue;
    for (let octet = 1; octet < count; octet += 1) out[length++] = bits >> (24 - 8 * octet);
    bits = 0;
    count = 0;
  }
  return out.subarray(0, length);
}

function decodeQuotedPrintable(raw: Buffer): Buffer {
  const out = Buffer.allocUnsafe(raw.length);
  let length = 0;
  for (let at = 0; at < raw.length; at += 1) {
    const byte = raw[at] ?? 0;
    if (byte !== 0x3d) {
      out[length] = byte;
      length += 1;
      continue;
    }
    let next = at + 1;
    while (raw[next] === 0x20 || raw[next] === 0x09) next += 1; // white space added on the way
    if (raw[next] === 0x0d && raw[next + 1] === 0x0a) at = next + 1;
    else if (raw[next] === 0x0a) at = next;
    else {
      const value = hexValue(raw[at + 1]) * 16 + hexValue(raw[at + 2]);
      if (value >= 0) at += 2;
      out[length] = value >= 0 ? value : byte;
      length += 1;
    }
  }
  return out.subarray(0, length);
}

function hexValue(byte: number | undefined): number {
  const digit = Number.parseInt(String.fromCharCode(byte ?? 0), 16);
  return Number.isNaN(digit) ? -1000 : digit;
}
