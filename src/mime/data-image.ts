/** An image that stands in a data: URI. */
export interface DataImage {
  /** Lower case, without parameters. */
  readonly mimetype: string;
  readonly content: Uint8Array;
}

const START = /^data:\s*(image\/[a-z0-9.+-]{1,60})\s*((?:;[^;,]{0,100}){0,8}),/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The image of a data: URI (RFC 2397) as a browser reads it (WHATWG Fetch, section 6); null when it is none, or does not decode. */
export function readDataImage(url: string): DataImage | null {
  const start = START.exec(url);
  if (start === null) return null;
  const [{ length }, type = '', parameters = ''] = start;
  const hash = url.indexOf('#', length);
  const data = url.slice(length, hash === -1 ? url.length : hash);
  const content = /;\s*base64\s*$/i.test(parameters) ? fromBase64(data) : fromPercent(data);
  if (content === null || content.length === 0) return null;
  const mimetype = type.toLowerCase();
  return { mimetype: mimetype === 'image/jpg' ? 'image/jpeg' : mimetype, content }; // which no reader knows by that name
}

function fromBase64(data: string): Uint8Array | null {
  const decoded = data.includes('%') ? fromPercent(data).toString('latin1') : data;
  const text = /\s/.test(decoded) ? decoded.replace(/\s+/g, '') : decoded; // such as the line breaks of a template
  const rest = text.length % 4;
  // Buffer.from reads on over anything that is not base64, and would make less of it.
  if (!BASE64.test(text) || (text.endsWith('=') ? rest !== 0 : rest === 1)) return null;
  return Buffer.from(text, 'base64');
}

function fromPercent(data: string): Buffer {
  const octets = Buffer.from(data.replace(/[\t\n\r]+/g, ''), 'utf8');
  let length = 0; // what is decoded is never ahead of what is read
  for (let at = 0; at < octets.length; at += 1) {
    const [high, low] = octets[at] === PERCENT ? [hexDigit(octets[at + 1]), hexDigit(octets[at + 2])] : [-1, -1];
    const isEscape = high >= 0 && low >= 0;
    octets[length] = isEscape ? high * 16 + low : (octets[at] ?? 0);
    length += 1;
    if (isEscape) at += 2;
  }
  return octets.subarray(0, length);
}

const PERCENT = 0x25;

/** The value of a hexadecimal digit; -1 of anything else. */
function hexDigit(code = 0): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
