import { Attachment, type AttachmentContent, isBlobLike, openContent } from '../../model/attachment.ts';
import { MessageError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import { BASE64_STEP, base64Length, base64Steps } from './base64.ts';
import { type ComposeOptions, type Composition, planComposition } from './composition.ts';
import { BodyHash } from './dkim.ts';
import type { Segment } from './part.ts';

/** A composed message, encoded as it is read. Every read yields the same bytes as long as its sources do. */
export interface MessageStream extends AsyncIterable<Uint8Array> {
  /** The size in bytes. A source of unknown length is read to measure it; a one-shot stream is then kept in memory. */
  size(): Promise<number>;
}

/** The settings of {@link composeStream}. */
export interface ComposeStreamOptions extends ComposeOptions {
  /** Bytes of one-shot streams to keep in memory when they must be read twice; default 40 MB. */
  readonly maxSpoolBytes?: number;
}

const MAX_SPOOL_BYTES = 40 * 1024 * 1024;
const TEXT_STEP = 64 * 1024;

/**
 * Composes a message in chunks, encoding its attachments as they are read, so that memory stays bounded.
 *
 * Reading throws MessageError `invalid-message` when something cannot be written as mail, or when a one-shot stream that must
 * be read twice (for DKIM, `size()` or a second read) is longer than `maxSpoolBytes`.
 */
export function composeStream(message: EmailMessage, options: ComposeStreamOptions = {}): MessageStream {
  return new Stream(message, options);
}

/** A streamed message and its size in bytes, for a server with 8BITMIME or for one without. */
export type StreamForms = (allow8bit: boolean) => { readonly chunks: MessageStream; readonly size: number };

/**
 * {@link composeStream} for callers that learn only later whether the server has 8BITMIME; only forwarded messages differ.
 *
 * @param signal ends the measuring of streams, not the reading of what this returns
 * @throws {MessageError} `invalid-message` when neither form can be written; the returned function throws it for one.
 */
export async function composeForms(
  message: EmailMessage,
  options: ComposeStreamOptions = {},
  signal?: AbortSignal,
): Promise<StreamForms> {
  const spooled = await withLoaded(
    message,
    (file) => isForwarded(file) || !isReplayable(file.content),
    options,
    signal,
  );
  const form = async (allow8bit: boolean) => {
    const chunks = new Stream(spooled, { ...options, allow8bit }, signal);
    return { chunks, size: await chunks.size() };
  };
  if (!spooled.attachments.some(isForwarded)) {
    const only = await form(false);
    return () => only;
  }
  const [plain, eightBit] = await Promise.allSettled([form(false), form(true)]);
  if (eightBit.status === 'rejected') throw eightBit.reason;
  return (allow8bit) => {
    if (allow8bit) return eightBit.value;
    if (plain.status === 'rejected') throw plain.reason;
    return plain.value;
  };
}

class Stream implements MessageStream {
  #message: EmailMessage;
  readonly #options: ComposeStreamOptions;
  readonly #signal: AbortSignal | undefined;
  #composition: Promise<Composition> | null = null;
  #isRead = false;

  constructor(message: EmailMessage, options: ComposeStreamOptions, signal?: AbortSignal) {
    this.#message = message;
    this.#options = options;
    this.#signal = signal;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#isRead && this.#message.attachments.some(({ content }) => !isReplayable(content))) {
      throw streamError('it has been read already: call size() before the first reading to keep it in memory');
    }
    this.#isRead = true;
    const { head, body, isUtf8 } = await this.#compose();
    yield Buffer.from(`${head}\r\n`, isUtf8 ? 'utf8' : 'latin1');
    for (const segment of body) yield* encodeSegment(segment);
  }

  async size(): Promise<number> {
    await this.#spool();
    const { head, body, isUtf8 } = await this.#compose();
    let size = Buffer.byteLength(head, isUtf8 ? 'utf8' : 'latin1') + 2;
    for (const segment of body) {
      size +=
        typeof segment === 'string' ? segment.length : base64Length(await contentLength(segment.content, this.#signal));
    }
    return size;
  }

  #compose(): Promise<Composition> {
    this.#composition ??= this.#prepare();
    return this.#composition;
  }

  async #prepare(): Promise<Composition> {
    if (this.#options.dkim !== undefined) await this.#spool();
    // A forwarded message is needed as a whole, see embedMessage.
    await this.#load(isForwarded);
    const composition = planComposition(this.#message, this.#options);
    if (this.#options.dkim === undefined) return composition;
    const hash = new BodyHash();
    for (const segment of composition.body) {
      if (typeof segment === 'string') hash.text(segment);
      else for await (const lines of encodeContent(segment.content, this.#signal)) hash.base64(lines);
    }
    return { ...composition, head: this.#options.dkim.sign(composition.head, hash.digest()) + composition.head };
  }

  #spool(): Promise<void> {
    return this.#load(({ content }) => !isReplayable(content));
  }

  async #load(isWanted: (attachment: Attachment) => boolean): Promise<void> {
    const loaded = await withLoaded(this.#message, isWanted, this.#options, this.#signal);
    if (loaded === this.#message) return;
    this.#message = loaded;
    this.#composition = null;
  }
}

/** The message with the wanted attachments read into memory. */
async function withLoaded(
  message: EmailMessage,
  isWanted: (attachment: Attachment) => boolean,
  { maxSpoolBytes = MAX_SPOOL_BYTES }: ComposeStreamOptions,
  signal: AbortSignal | undefined,
): Promise<EmailMessage> {
  const { attachments } = message;
  if (!attachments.some((attachment) => isWanted(attachment) && !attachment.isInMemory)) return message;
  let room = maxSpoolBytes;
  const loaded: Attachment[] = [];
  for (const attachment of attachments) {
    if (!isWanted(attachment) || attachment.isInMemory) {
      loaded.push(attachment);
      continue;
    }
    const content = await readWhole(attachment, room, signal);
    room -= content.length;
    loaded.push(new Attachment({ ...attachment, content }));
  }
  return message.with({ attachments: loaded });
}

function isForwarded({ mimetype }: Attachment): boolean {
  return mimetype.toLowerCase().startsWith('message/');
}

async function* encodeSegment(segment: Segment): AsyncGenerator<Uint8Array, void, undefined> {
  if (segment instanceof Attachment) yield* encodeContent(segment.content);
  else {
    for (let at = 0; at < segment.length; at += TEXT_STEP) {
      yield Buffer.from(segment.slice(at, at + TEXT_STEP), 'latin1');
    }
  }
}

/** Encodes any content in base64. */
async function* encodeContent(
  content: AttachmentContent,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const carry = new Uint8Array(BASE64_STEP);
  let carried = 0;
  for await (const chunk of openContent(content, signal)) {
    let at = 0;
    if (carried > 0) {
      at = Math.min(chunk.length, carry.length - carried);
      carry.set(chunk.subarray(0, at), carried);
      carried += at;
      if (carried < carry.length) continue;
      yield* linesOf(carry);
    }
    const whole = chunk.length - ((chunk.length - at) % carry.length);
    yield* linesOf(chunk.subarray(at, whole));
    carry.set(chunk.subarray(whole));
    carried = chunk.length - whole;
  }
  yield* linesOf(carry.subarray(0, carried));
}

/** Copies the lines at once: other messages may be encoded into the same buffer before these are read. */
function* linesOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (const lines of base64Steps(bytes)) yield lines.slice();
}

/** Whether the content can be read again: anything but a stream object. */
function isReplayable(content: AttachmentContent): boolean {
  return typeof content !== 'object' || content instanceof Uint8Array || isBlobLike(content);
}

async function contentLength(content: AttachmentContent, signal: AbortSignal | undefined): Promise<number> {
  if (content instanceof Uint8Array) return content.length;
  if (typeof content === 'string') return Buffer.byteLength(content, 'utf8');
  if (isBlobLike(content)) return content.size;
  let length = 0;
  for await (const chunk of openContent(content, signal)) length += chunk.length;
  return length;
}

async function readWhole(attachment: Attachment, room: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of openContent(attachment.content, signal)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > room)
      throw streamError(
        isForwarded(attachment)
          ? 'a forwarded message is read as a whole, and this one is longer than maxSpoolBytes: attach it as application/octet-stream'
          : 'a stream that must be read twice is longer than maxSpoolBytes: give a Blob, a file or a function',
      );
  }
  return Buffer.concat(chunks);
}

function streamError(message: string): MessageError {
  return new MessageError([{ path: 'attachments', code: 'too-long', message }]);
}
