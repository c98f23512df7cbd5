import { brand } from '../util/brand.ts';
import { ATTACHMENT_NAMES, suggest } from '../util/foreign-names.ts';
import { readLine } from '../util/line.ts';
import { copyList } from '../util/list.ts';
import { guessMediaType } from '../util/media-types.ts';
import { reasonOf } from '../util/reason.ts';
import { MessageError, type MessageIssue } from './errors.ts';

/** The shape of a `Blob` or `File`; declared here so that the types need neither DOM nor Node declarations. */
export interface BlobLike {
  /** In bytes. */
  readonly size: number;
  /** All bytes at once. */
  arrayBuffer(): Promise<ArrayBuffer>;
  /** The bytes in chunks; each call starts over. */
  stream(): AsyncIterable<Uint8Array> | ReadableStreamLike;
}

/** The shape of a web `ReadableStream`. */
export interface ReadableStreamLike {
  /** Locks the stream for reading. */
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(reason?: unknown): Promise<void>;
    releaseLock(): void;
  };
}

/**
 * The content of an attachment: text as a string (sent as UTF-8, never taken for base64), bytes (taken by reference, not
 * copied), a Blob, a stream (read once), or a function that opens a fresh stream at each call.
 */
export type AttachmentContent =
  | string
  | Uint8Array
  | BlobLike
  | ReadableStreamLike
  | AsyncIterable<Uint8Array>
  | (() => AsyncIterable<Uint8Array>);

/** A Node Buffer after a round trip through JSON, as job queues return it. */
export interface JsonBuffer {
  /** The marker that Node writes. */
  readonly type: 'Buffer';
  /** The bytes. */
  readonly data: readonly number[];
}

/** What {@link Attachment} is made from; a plain object like this is accepted wherever an Attachment is. */
export interface AttachmentInit {
  /** The name the recipient sees, without folders; null or omitted for none. */
  readonly filename?: string | null;
  /** The content; text is sent as UTF-8, an ArrayBuffer or any view of one is taken by reference. */
  readonly content: AttachmentContent | ArrayBuffer | ArrayBufferView | JsonBuffer;
  /** A media type such as `image/png`, parameters allowed; default: by the file name's extension, else `application/octet-stream`. */
  readonly mimetype?: string | null;
  /** Makes it inline: the id that `<img src="cid:logo">` names, without `cid:` and brackets (RFC 2392). */
  readonly contentId?: string | null;
}

/** The settings of {@link Attachment.fromFile}. */
export interface FromFileOptions {
  /** Default: the last part of the path. */
  readonly filename?: string;
  /** Default: by the file name's extension. */
  readonly mimetype?: string;
  /** As in {@link AttachmentInit}. */
  readonly contentId?: string;
}

// RFC 2045, section 5.1: token/token, then parameters, all printable ASCII on one line.
const MEDIA_TYPE = /^[!#$%&'*+.^_`{|}~A-Za-z0-9-]+\/[!#$%&'*+.^_`{|}~A-Za-z0-9-]+(?: *;[\x20-\x7e]*)?$/;
const MAX_MEDIA_TYPE = 900; // a parameter cannot be folded, and no line may be over 998
// RFC 2392, section 2 wants an addr-spec; in practice everybody writes a bare word such as `logo`, and every reader accepts it.
const CONTENT_ID = /^[!#$%&'*+\-/=?^_`{|}~.@A-Za-z0-9]{1,200}$/;

const NO_ATTACHMENT = 'must be an Attachment or an object with filename and content';
const FIELDS: Readonly<Record<string, true>> = /* @__PURE__ */ Object.assign(Object.create(null), {
  filename: true,
  content: true,
  mimetype: true,
  contentId: true,
});

/** Attachments validated and frozen here; a look-alike may return something else each time it is read. */
const constructed = new WeakSet<object>();

/** A file attached to a message, inline when it has a `contentId`; frozen, its bytes taken by reference. */
export class Attachment {
  readonly filename: string | null;
  readonly content: AttachmentContent;
  readonly mimetype: string;
  readonly contentId: string | null;

  /** @throws {MessageError} `invalid-message`, with every fault found. */
  constructor(init: AttachmentInit) {
    const { issues, filename, content, mimetype, contentId } = readInit(init, '');
    if (issues.length > 0) throw new MessageError(issues);
    this.filename = filename;
    this.content = content;
    this.mimetype = mimetype ?? guessMediaType(filename ?? '');
    this.contentId = contentId;
    Object.freeze(this);
    constructed.add(this);
  }

  /** Whether the content is text or bytes, so that it can be composed synchronously. */
  get isInMemory(): boolean {
    return typeof this.content === 'string' || this.content instanceof Uint8Array;
  }

  /** This attachment with its content read into memory; itself when already there. */
  async materialize(): Promise<Attachment> {
    return loadAttachment(this, undefined);
  }

  /**
   * An attachment that is read from the file system each time the message is sent.
   *
   * This is the only way to open a file: nothing in a message's data can name one.
   *
   * @throws {MessageError} `invalid-message` when `path` is not a file that can be read.
   */
  static fromFile(path: string, options: FromFileOptions = {}): Attachment {
    return new Attachment({
      filename: path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1),
      ...options,
      content: new FileContent(path),
    });
  }
}

/** {@link Attachment.materialize} until `signal` aborts: then it rejects, and closes the stream, with its next chunk. */
export async function loadAttachment(attachment: Attachment, signal: AbortSignal | undefined): Promise<Attachment> {
  if (attachment.isInMemory) return attachment;
  return new Attachment({ ...attachment, content: await readContent(attachment.content, signal) });
}

/** A file's content, opened only when it is read. */
export class FileContent implements BlobLike {
  /** `instanceof` holds across copies of this package. */
  static readonly [Symbol.hasInstance]: (value: unknown) => boolean = /* @__PURE__ */ brand(FileContent, 'FileContent');

  readonly path: string;

  constructor(path: string) {
    this.path = path;
    sizeOf(path);
  }

  /** The current size: the file is read for each send. */
  get size(): number {
    return sizeOf(this.path);
  }

  stream(): AsyncIterable<Uint8Array> {
    return fs().createReadStream(this.path, { highWaterMark: 192 * 1024 });
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = await fs().promises.readFile(this.path);
    // readFile never uses memory shared between threads, so the buffer is an ArrayBuffer.
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  }

  /** @throws {MessageError} `invalid-message` when it can no longer be read. */
  readSync(): Uint8Array {
    try {
      return fs().readFileSync(this.path);
    } catch (cause) {
      throw unreadable(this.path, cause);
    }
  }
}

/** Streams already read: a second reading would find nothing, and the attachment would go out empty. */
const readStreams = new WeakSet<object>();

/**
 * The chunks of any content, in order.
 *
 * @param signal ends the reading of a stream at its next chunk, and closes it; one that is endless would be read for ever
 * @throws {MessageError} `invalid-message` when a stream was read before, or gives anything but bytes.
 */
export async function* openContent(
  content: AttachmentContent,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof content === 'string') yield new TextEncoder().encode(content);
  else if (content instanceof Uint8Array) yield content;
  else if (typeof content === 'function') yield* chunksOf(content(), signal);
  else if (isBlobLike(content)) yield* chunksOf(content.stream(), signal);
  else {
    if (readStreams.has(content)) {
      throw contentError('the stream was read before: give a function that opens it again, or bytes, to send it again');
    }
    readStreams.add(content);
    yield* chunksOf(content, signal);
  }
}

async function* chunksOf(
  source: AsyncIterable<Uint8Array> | ReadableStreamLike,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = Symbol.asyncIterator in source ? source : readAll(source);
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    const bytes = ownContent(chunk);
    if (!(bytes instanceof Uint8Array)) {
      throw contentError(`a stream must give bytes (Uint8Array), not a ${typeof chunk}: set no encoding on it`);
    }
    yield bytes;
  }
}

async function* readAll(source: ReadableStreamLike): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = source.getReader();
  let isFinished = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isFinished = done;
      if (done) return;
      if (value) yield value;
    }
  } finally {
    if (!isFinished) await reader.cancel();
    reader.releaseLock();
  }
}

async function readContent(content: AttachmentContent, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of openContent(content, signal)) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

function contentError(message: string): MessageError {
  return new MessageError([{ path: 'content', code: 'type', message }]);
}

/** Whether content is a Blob, or looks like one. */
export function isBlobLike(content: AttachmentContent): content is BlobLike {
  return (
    typeof content === 'object' &&
    content !== null &&
    'arrayBuffer' in content &&
    typeof content.arrayBuffer === 'function' &&
    'size' in content
  );
}

function noSuchField(field: string): string {
  const known = Object.keys(FIELDS);
  return `there is no such field; ${suggest(field, known, ATTACHMENT_NAMES) ?? `the fields are ${known.join(', ')}`}`;
}

/** The attachment that a caller's object describes; null after its faults were reported under `prefix` (`attachments[0].`). */
export function readAttachment(
  value: AttachmentInit,
  prefix: string,
  fail: (issue: MessageIssue) => void,
): Attachment | null {
  if (value instanceof Attachment && constructed.has(value)) return value;
  const { issues, ...fields } = readInit(value, prefix);
  for (const issue of issues) fail(issue);
  return issues.length === 0 ? new Attachment(fields) : null;
}

/** Every fault of an attachment, under `prefix`. */
export function findAttachmentIssues(init: AttachmentInit, prefix: string): readonly MessageIssue[] {
  return readInit(init, prefix).issues;
}

/** An attachment's fields, each read once, and every fault found. */
interface ReadInit extends Required<AttachmentInit> {
  readonly content: AttachmentContent;
  readonly issues: readonly MessageIssue[];
}

function readInit(init: AttachmentInit, prefix: string): ReadInit {
  const issues: MessageIssue[] = [];
  const add = (field: string, code: MessageIssue['code'], message: string) =>
    issues.push({ path: prefix + field, code, message });
  if (typeof init !== 'object' || init === null) {
    const path = prefix === '' ? 'attachment' : prefix.slice(0, -1);
    issues.push({ path, code: 'type', message: NO_ATTACHMENT });
    return { issues, filename: null, content: '', mimetype: null, contentId: null };
  }
  for (const field in init) if (FIELDS[field] !== true) add(field, 'unknown-field', noSuchField(field));
  const { filename: name = null, content: given, mimetype = null, contentId = null } = init;
  const content = ownContent(given);
  const filename = typeof name === 'string' ? readLine(name) : null;
  if (name !== null) {
    if (typeof name !== 'string') add('filename', 'type', 'must be a string');
    else if (filename === null) add('filename', 'control-character', 'remove line breaks and other control characters');
    else if (filename.includes('/') || filename.includes('\\'))
      add('filename', 'filename', 'give the name alone, without folders');
  }
  if (mimetype !== null && !isMediaType(mimetype)) {
    add('mimetype', 'content-type', "must be a media type such as 'image/png', of at most 900 characters");
  }
  if (contentId !== null && (typeof contentId !== 'string' || !CONTENT_ID.test(contentId))) {
    add(
      'contentId',
      'range',
      "must be 1 to 200 ASCII letters, digits or any of !#$%&'*+-/=?^_`{|}~.@, without brackets and without 'cid:'",
    );
  }
  if (!isContent(content)) {
    add('content', 'type', 'must be a string, bytes, a Blob, a stream of bytes, or a function that opens one');
  }
  return { issues, filename, content: content as AttachmentContent, mimetype, contentId }; // or there is an issue
}

/** Whether a value looks like a media type that can be written; the composer parses its parameters. */
export function isMediaType(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_MEDIA_TYPE && MEDIA_TYPE.test(value);
}

/** Bytes in any form as a Uint8Array over the same memory; anything else unchanged. */
function ownContent(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || content instanceof Uint8Array) return content;
  if (ArrayBuffer.isView(content)) return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  // Not by instanceof alone: Jest's realm has its own ArrayBuffer.
  if (content instanceof ArrayBuffer || Object.prototype.toString.call(content) === '[object ArrayBuffer]')
    return new Uint8Array(content as ArrayBuffer);
  if (isContent(content)) return content;
  const { type, data } = content as Partial<JsonBuffer>; // any object can be asked for these two
  if (type !== 'Buffer' || !Array.isArray(data)) return content;
  const bytes = copyList(data);
  return bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255) ? Buffer.from(bytes) : content;
}

function isContent(content: unknown): content is AttachmentContent {
  if (typeof content === 'string' || typeof content === 'function' || content instanceof Uint8Array) return true;
  return (
    typeof content === 'object' &&
    content !== null &&
    (Symbol.asyncIterator in content || 'getReader' in content || isBlobLike(content as AttachmentContent))
  );
}

/** @throws {MessageError} `invalid-message` when it is not a file that can be read. */
function sizeOf(path: string): number {
  try {
    const stats = fs().statSync(path);
    if (!stats.isFile()) throw new Error('it is not a file');
    return stats.size;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): MessageError {
  const message = `the file '${path}' cannot be read: ${reasonOf(cause)}`;
  return new MessageError([{ path: 'content', code: 'range', message }], { cause });
}

function fs(): typeof import('node:fs') {
  return process.getBuiltinModule('node:fs');
}
