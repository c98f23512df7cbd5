import { SHORT_TEXT } from '../net/transport.ts';
import { randomToken } from '../util/random.ts';
import type { Encoded } from './provider.ts';

/** A file in a body: JSON has it as a text in base64. */
export class Base64 {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Its base64; where a body is made of it, a mark for a long one. */
  toJSON(): string {
    if (making === null || this.bytes.length < SHORT_TEXT / 2) return this.text();
    making.files.push(this);
    return making.mark;
  }

  /** A part of it in base64; `from` is a multiple of three. */
  text(from = 0, to: number = this.bytes.length): string {
    const { buffer, byteOffset, byteLength } = this.bytes;
    return Buffer.from(buffer, byteOffset, byteLength).toString('base64', from, to);
  }
}

/** JSON before it is bytes: texts, and files that go out in base64. */
export type Json = readonly (string | Base64)[];

/** The long files of the body that is being made, which stay apart from it: a replacer would look at each field, at twice the CPU. */
let making: { readonly mark: string; readonly files: Base64[] } | null = null;

/** A body in JSON. */
export function jsonOf(body: object): Json {
  const made = { mark: randomToken(), files: [] as Base64[] };
  making = made;
  try {
    const json = JSON.stringify(body);
    if (made.files.length === 0) return [json];
    return json.split(made.mark).flatMap((text, index) => [text, ...made.files.slice(index, index + 1)]);
  } finally {
    making = null;
  }
}

/** How many octets it has. */
export function octetsOf(json: Json): number {
  let octets = 0;
  for (const piece of json)
    octets += typeof piece === 'string' ? Buffer.byteLength(piece) : 4 * Math.ceil(piece.bytes.length / 3);
  return octets;
}

/** JSON as it goes out. */
export function encodeJson(json: Json): Encoded {
  let text = '';
  for (const piece of json) {
    if (typeof piece !== 'string') return asJson(new Chunks().add(json).end());
    text += piece;
  }
  return asJson(text);
}

function asJson(body: Encoded['body']): Encoded {
  return { type: 'application/json', body };
}

/** A list in JSON that grows: its entries are bytes at once, as texts that are kept cost more, but for one that may stay alone. */
export class JsonList {
  readonly #before: string;
  readonly #after: string;
  readonly #chunks = new Chunks();
  #only: Json | null = null;
  #count = 0;

  /** @param around what stands before the entries, and after them */
  constructor([before, after]: readonly [string, string]) {
    this.#before = before;
    this.#after = after;
  }

  add(json: Json): void {
    if (this.#count === 0) this.#only = json;
    else if (this.#only === null) this.#chunks.add([',', ...json]);
    else {
      this.#chunks.add([this.#before, ...this.#only, ',', ...json]);
      this.#only = null;
    }
    this.#count++;
  }

  /** What goes out, once; `isBare` is whether an entry that is alone is no list. */
  encode(isBare: boolean): Encoded {
    if (this.#only !== null) return encodeJson(isBare ? this.#only : [this.#before, ...this.#only, this.#after]);
    return asJson(this.#chunks.add([this.#after]).end());
  }
}

/** Octets of a chunk, for which memory is quick to get; for much larger ones it is slower than all the rest. */
const CHUNK = 65_536;
/** Octets that go into base64 at once, a multiple of three. */
const STEP = 3 * 4_096;

/** Bytes, in chunks that are never joined. */
class Chunks {
  readonly #whole: Buffer[] = [];
  #last: Buffer = Buffer.alloc(0);
  #at = 0;

  add(json: Json): this {
    for (const piece of json) {
      if (typeof piece === 'string') this.#write(piece);
      else for (let from = 0; from < piece.bytes.length; from += STEP) this.#write(piece.text(from, from + STEP));
    }
    return this;
  }

  end(): readonly Buffer[] {
    return [...this.#whole, this.#last.subarray(0, this.#at)];
  }

  #write(text: string): void {
    const octets = Buffer.byteLength(text);
    if (this.#at + octets > this.#last.length) {
      if (this.#at > 0) this.#whole.push(this.#last.subarray(0, this.#at));
      this.#last = Buffer.allocUnsafeSlow(Math.max(octets, CHUNK));
      this.#at = 0;
    }
    this.#at += this.#last.write(text, this.#at, octets === text.length ? 'latin1' : 'utf8'); // ASCII is the same in both
  }
}
