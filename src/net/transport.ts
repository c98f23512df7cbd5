import type { ConnectionErrorCode } from '../model/errors.ts';
import type { Deadline } from '../util/deadline.ts';

/** A text, or bytes in chunks, which are sent one after the other and never joined. */
export type Body = string | readonly Uint8Array[];

/** One request, as it goes out. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body | null;
}

/** The answer to it. */
export interface HttpAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null when it broke off, or is longer than any answer to a mail. */
  readonly text: string | null;
}

/** How requests get to a provider. */
export interface Transport {
  /** @throws {NoAnswer} when there is none; {@link EmailConnectionError} of a proxy. */
  send(request: HttpRequest, end: AbortSignal | Deadline): Promise<HttpAnswer>;
  /** Closes the connections that are kept. */
  close(): void;
}

/** The most octets of an answer; those to batches have a few hundred for each mail. */
export const MAX_ANSWER: number = 4 * 1024 * 1024;

/** Texts of fewer characters are sent fastest as they are, others as bytes: Node writes 16 KB without asking for memory. */
export const SHORT_TEXT = 8_192;

/** There is no answer to a request. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** Whether the provider may have got it. */
  readonly isSent: boolean;
  /** What kind of failure it was, where the error below has no code of Node's. */
  readonly code: ConnectionErrorCode | null;

  constructor(cause: unknown, isSent: boolean, code: ConnectionErrorCode | null = null) {
    super('the request has no answer', { cause });
    this.isSent = isSent;
    this.code = code;
  }
}

/** The text of an answer; null when it breaks off, or has too many octets, of which the rest is not read then. */
export async function readText(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = '';
  let octets = 0;
  try {
    for await (const chunk of chunks) {
      octets += chunk.length;
      if (octets > MAX_ANSWER) return null;
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch {
    return null;
  }
}
