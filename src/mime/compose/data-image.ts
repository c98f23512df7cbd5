/** An image from a data: URI. */
interface DataImage {
  /** Lower case, without parameters. */
  readonly mimetype: string;
  readonly content: Uint8Array;
}

const START = /^data:\s*(image\/[a-z0-9.+-]{1,60})\s*((?:;[^;,]{0,100}){0,8}),/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Reads an image from a data: URI (RFC 2397) as browsers do (WHATWG Fetch, section 6); null when there is none to decode. */
export function readDataImage(url: string): DataImage | null {
  const start = START.exec(url);
  if (start === null) return null;
  const [{ length }, type = '', parameters = ''] = start;
  const hash = url.indexOf('#', length);
  const data = url.slice(length, hash === -1 ? url.length : hash);
  const content = /;\s*base64\s*$/i.test(parameters) ? fromBase64(data) : fromPercent(data);
  if (content === null || content.length === 0) return null;
  const mimetype = type.toLowerCase();
  return { mimetype: mimetype === 'image/jpg' ? 'image/jpeg' : mimetype, content }; // no reader knows image/jpg
}

function fromBase64(data: string): Uint8Array | null {
  const decoded = data.includes('%') ? fromPercent(data).toString('latin1') : data;
  const text = /\s/.test(decoded) ? decoded.replace(/\s+/g, '') : decoded; // templates break lines
  const rest = text.length % 4;
  // Buffer.from skips anything that is not base64, and would return less.
  if (!BASE64.test(text) || (text.endsWith('=') ? rest !== 0 : rest === 1)) return null;
  return Buffer.from(text, 'base64');
}

function fromPercent(data: string): Buffer {
  const bytes = Buffer.from(data.replace(/[\t\n\r]+/g, ''), 'utf8');
  let length = 0; // decodes in place: the output is never ahead of the input
  for (let at = 0; at < bytes.length; at++) {
    const [high, low] = bytes[at] === PERCENT ? [hexDigit(bytes[at + 1]), hexDigit(bytes[at + 2])] : [-1, -1];
    const isEscape = high >= 0 && low >= 0;
    bytes[length] = isEscape ? high * 16 + low : (bytes[at] ?? 0);
    length++;
    if (isEscape) at += 2;
  }
  return bytes.subarray(0, length);
}

const PERCENT = 0x25;

/** The value of a hexadecimal digit; -1 for anything else. */
function hexDigit(code = 0): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
