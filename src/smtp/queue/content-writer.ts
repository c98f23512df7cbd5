import { isAscii } from 'node:buffer';
import { SendError } from '../../model/errors.ts';
import { DotStuffer } from '../protocol/dot-stuffing.ts';
import type { Wire } from '../session/wire.ts';
import type { Content } from './delivery.ts';

/** How much is handed to the socket before it is asked whether it wants more. */
const BLOCK = 64 * 1024;

/** Content up to this size is written at once, so that it can share a group with commands; larger content is written as fast as it is sent. */
const SMALL = 64 * 1024;

/** What a writer has to know, and its callbacks. */
export interface ContentWriterOptions {
  /** Whether BODY=8BITMIME was declared. */
  readonly isEightBit: boolean;
  /** How long one block may take to be sent. */
  readonly timeoutMs: number;
  onEnd(): void;
  onError(error: unknown): void;
}

/** Whether content is in memory and small, so that it can share a group with commands. */
export function fitsInOneWrite(content: Content): content is Uint8Array {
  return content instanceof Uint8Array && content.length <= SMALL;
}

/** Writes small content after DATA at once, dot-stuffed. */
export function writeAtOnce(content: Uint8Array, wire: Wire): void {
  const stuffer = new DotStuffer((bytes) => wire.writeContent(bytes));
  stuffer.push(content);
  stuffer.end();
}

/** Writes content after DATA as fast as the connection takes it and no faster, dot-stuffed. */
export class ContentWriter {
  readonly #wire: Wire;
  readonly #options: ContentWriterOptions;
  readonly #stuffer: DotStuffer;
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #isReading = false;
  #isStopped = false;

  constructor(content: Content, wire: Wire, options: ContentWriterOptions) {
    this.#wire = wire;
    this.#options = options;
    this.#stuffer = new DotStuffer((bytes) => wire.writeContent(bytes));
    this.#chunks = content instanceof Uint8Array ? blocks(content) : content.chunks[Symbol.asyncIterator]();
  }

  /** Goes on until the connection is full; the pipeline calls it again when it has drained. */
  resume(): void {
    while (!this.#isStopped && !this.#isReading && !this.#wire.isFull) {
      this.#wire.arm(this.#options.timeoutMs);
      let next: IteratorResult<Uint8Array> | Promise<IteratorResult<Uint8Array>>;
      try {
        next = this.#chunks.next();
      } catch (error) {
        this.#fail(error);
        return;
      }
      if (next instanceof Promise) {
        this.#isReading = true;
        this.#wire.disarm(); // a slow source is not a slow server; the call's own deadline bounds it
        next.then(this.#onRead, this.#onReadFailed);
        return;
      }
      this.#take(next);
    }
  }

  /** The connection is closed: closes the source, too. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const ended = this.#chunks.return?.();
    if (ended instanceof Promise) ended.catch(() => {});
  }

  readonly #onRead = (result: IteratorResult<Uint8Array>): void => {
    this.#isReading = false;
    if (this.#isStopped) return;
    this.#take(result);
    this.resume();
  };

  /** What a source says after the connection is closed is not about the mail: it may be on its way over another one. */
  readonly #onReadFailed = (error: unknown): void => {
    if (!this.#isStopped) this.#fail(error);
  };

  #take(result: IteratorResult<Uint8Array>): void {
    if (result.done) {
      this.#isStopped = true;
      this.#stuffer.end();
      this.#options.onEnd();
      return;
    }
    if (!this.#options.isEightBit && !isAscii(result.value)) {
      this.stop();
      this.#fail(
        new SendError('eight-bit-unavailable', 'the message needs 8BITMIME, which the server does not offer', {
          phase: 'content',
        }),
      );
      return;
    }
    this.#stuffer.push(result.value);
    this.#wire.flush();
  }

  #fail(error: unknown): void {
    this.#isStopped = true;
    this.#options.onError(error);
  }
}

function* blocks(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length; start += BLOCK) yield bytes.subarray(start, start + BLOCK);
}
