import { type HeaderField, headerValue, readHeaders } from './headers.ts';
import { readParameters } from './parameters.ts';

/** One node of a MIME tree; a leaf has no children. Contents are not decoded. */
export interface MimePart {
  /** Its position in the tree, such as `1.2`, the second part of the first; '' for the message itself. */
  readonly path: string;
  readonly headers: readonly HeaderField[];
  /** Lower case, such as `text/plain`. */
  readonly mediaType: string;
  /** The parameters of Content-Type, decoded, by lower-case name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Lower case, such as `attachment`; null when there is none. */
  readonly disposition: string | null;
  readonly filename: string | null;
  /** Without brackets. */
  readonly contentId: string | null;
  /** The Content-Transfer-Encoding in lower case, `7bit` when there is none. */
  readonly encoding: string;
  /** Offset of the header section in the message, in bytes. */
  readonly headerStart: number;
  /** Offset of the content in the message, in bytes. */
  readonly start: number;
  /** Offset of the end of the content in the message, in bytes. */
  readonly end: number;
  readonly children: readonly MimePart[];
}

// Limits keep a hostile message from costing more than an honest one.
const MAX_PARTS = 1000;
const MAX_DEPTH = 50;

/** Two tokens (RFC 2045, section 5.1). */
const MEDIA_TYPE = /^[\w!#$%&'*+.^`{|}~-]+\/[\w!#$%&'*+.^`{|}~-]+$/;

/** A message's structure. */
export interface MimeTree {
  readonly root: MimePart;
  /** False when a limit was reached; whatever follows was not read. */
  readonly isComplete: boolean;
}

/**
 * The longest boundary, in bytes; RFC 2046, section 5.1.1, allows 70. Searching for it may take as many steps as its length
 * multiplied by that of the message.
 */
const MAX_BOUNDARY = 200;

/** How many times the whole message may be searched for delimiters; each level of nesting searches its part once. */
const SEARCHES = 16;

/**
 * Reads the structure of a message, however malformed, in linear time (RFC 2045; RFC 2046, section 5); never throws.
 *
 * @param maxHeaderBytes The limit for each part's header section, in bytes; default 262,144.
 */
export function readMime(bytes: Uint8Array, maxHeaderBytes = 262_144): MimeTree {
  const reader = new MimeReader(bytes, maxHeaderBytes);
  const root = reader.read(0, bytes.length, '', 0, 'text/plain');
  return { root, isComplete: reader.isComplete };
}

/** The leaf parts, in order; a forwarded message counts as one. */
export function leavesOf(part: MimePart): MimePart[] {
  if (part.children.length === 0 || part.mediaType === 'message/rfc822') return [part];
  return part.children.flatMap(leavesOf);
}

/** The part at a path, or null. */
export function findPart(part: MimePart, path: string): MimePart | null {
  if (part.path === path) return part;
  const next = part.children.find((child) => child.path === path || path.startsWith(`${child.path}.`));
  return next === undefined ? null : findPart(next, path);
}

class MimeReader {
  readonly #bytes: Buffer;
  readonly #maxHeaderBytes: number;
  #parts = 0;
  #budget: number;
  isComplete = true;

  constructor(bytes: Uint8Array, maxHeaderBytes: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#maxHeaderBytes = maxHeaderBytes;
    this.#budget = SEARCHES * Math.max(bytes.length, 1_000_000);
  }

  read(from: number, to: number, path: string, depth: number, defaultType: string): MimePart {
    this.#parts++;
    const headers = readHeaders(this.#bytes, from, to, this.#maxHeaderBytes);
    if (headers.isCut) this.isComplete = false;
    const type = readParameters(headerValue(headers.fields, 'content-type') ?? '');
    const mediaType = MEDIA_TYPE.test(type.value) ? type.value.toLowerCase() : defaultType;
    const disposition = readParameters(headerValue(headers.fields, 'content-disposition') ?? '');
    const part = {
      path,
      headers: headers.fields,
      mediaType,
      parameters: type.parameters,
      disposition: disposition.value.toLowerCase() || null,
      filename: disposition.parameters['filename'] ?? type.parameters['name'] ?? null,
      contentId: withoutBrackets(headerValue(headers.fields, 'content-id') ?? '') || null,
      encoding:
        /[\w-]+/.exec(headerValue(headers.fields, 'content-transfer-encoding') ?? '')?.[0]?.toLowerCase() ?? '7bit',
      headerStart: from,
      start: headers.end,
      end: to,
    };
    return { ...part, children: this.#readChildren(part, depth) };
  }

  #readChildren(part: Omit<MimePart, 'children'>, depth: number): MimePart[] {
    const { mediaType, parameters, start, end, path, encoding } = part;
    const isMessage = mediaType === 'message/rfc822' && encoding !== 'base64' && encoding !== 'quoted-printable';
    const boundary = mediaType.startsWith('multipart/') ? parameters['boundary'] : undefined;
    if (!isMessage && !boundary) return [];
    if (depth >= MAX_DEPTH || (boundary !== undefined && Buffer.byteLength(boundary) > MAX_BOUNDARY)) {
      this.isComplete = false;
      return [];
    }
    if (isMessage) return this.#hasRoom() ? [this.read(start, end, childPath(path, 1), depth + 1, 'text/plain')] : [];
    const defaultType = mediaType === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
    const children: MimePart[] = [];
    for (const [from, to] of this.#ranges(start, end, boundary ?? '')) {
      if (!this.#hasRoom()) break;
      children.push(this.read(from, to, childPath(path, children.length + 1), depth + 1, defaultType));
    }
    return children;
  }

  #hasRoom(): boolean {
    if (this.#parts < MAX_PARTS) return true;
    this.isComplete = false;
    return false;
  }

  /** The ranges between the delimiters of a multipart (RFC 2046, section 5.1.1). */
  *#ranges(start: number, end: number, boundary: string): Generator<readonly [number, number]> {
    const delimiter = Buffer.from(`--${boundary}`, 'utf8');
    let from = -1;
    let at = start;
    for (;;) {
      const searched = at;
      at = this.#bytes.subarray(0, end).indexOf(delimiter, at);
      this.#budget -= (at === -1 ? end : at) - searched;
      if (this.#budget < 0) this.isComplete = false;
      if (at === -1 || this.#budget < 0) break;
      const after = at + delimiter.length;
      const isLast = this.#bytes[after] === 0x2d && this.#bytes[after + 1] === 0x2d;
      const lineEnd = this.#endOfDelimiter(isLast ? after + 2 : after, end);
      if (lineEnd === -1 || (at > start && this.#bytes[at - 1] !== 0x0a)) {
        at = after;
        continue;
      }
      if (from !== -1) yield [from, Math.max(from, this.#lineEndBefore(at))];
      from = isLast ? -1 : lineEnd;
      if (isLast) return;
      at = lineEnd;
    }
    if (from !== -1) yield [from, end]; // without a closing delimiter, the last child ends with its parent
  }

  /** The end of a delimiter's line; -1 when anything but white space follows. */
  #endOfDelimiter(position: number, end: number): number {
    let at = position;
    while (at < end && (this.#bytes[at] === 0x20 || this.#bytes[at] === 0x09)) at++;
    if (at >= end) return end;
    if (this.#bytes[at] === 0x0d) at++;
    return this.#bytes[at] === 0x0a ? at + 1 : -1;
  }

  /** The line end before a delimiter belongs to the delimiter. */
  #lineEndBefore(at: number): number {
    if (this.#bytes[at - 1] !== 0x0a) return at;
    return this.#bytes[at - 2] === 0x0d ? at - 2 : at - 1;
  }
}

/** A Content-ID as URLs and parameters name it. */
export function withoutBrackets(value: string): string {
  return value.slice(value.startsWith('<') ? 1 : 0, value.endsWith('>') ? -1 : undefined).trim();
}

function childPath(path: string, index: number): string {
  return path === '' ? String(index) : `${path}.${index}`;
}
