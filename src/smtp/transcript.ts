/** How many entries are kept; one is a write, or a chunk received. */
const KEPT = 48;
/** How many octets of one chunk are kept. */
const KEPT_OCTETS = 2048;

type Entry = { readonly from: 'C' | 'S' | '*'; readonly text: string | Buffer };

/**
 * The recent dialogue of one connection, for errors and `debug`, with every secret replaced by `***`.
 *
 * Writes and chunks are only remembered; lines are made when an error needs them, so that a session without errors pays
 * nothing. Message content is never recorded, only its size.
 */
export class Transcript {
  readonly #debug: ((line: string) => void) | undefined;
  #entries: Entry[] = [];
  #lines: readonly string[] | null = null;
  readonly #secrets: string[] = [];
  #partial = '';

  constructor(debug?: (line: string) => void) {
    this.#debug = debug;
  }

  /** Remembers a secret: it never shows again, whoever says it. */
  hide(secret: string): void {
    if (secret !== '' && !this.#secrets.includes(secret)) this.#secrets.push(secret);
    this.#secrets.sort((a, b) => b.length - a.length);
  }

  /** Replaces every hidden secret in a text. */
  redact(text: string): string {
    let redacted = text;
    for (const secret of this.#secrets) if (redacted.includes(secret)) redacted = redacted.replaceAll(secret, '***');
    return redacted;
  }

  /** Records command lines that were written. */
  sent(text: string): void {
    this.#add({ from: 'C', text });
  }

  /** Records bytes that were received. */
  received(chunk: Buffer): void {
    this.#add({ from: 'S', text: chunk.length > KEPT_OCTETS ? chunk.subarray(-KEPT_OCTETS) : chunk });
  }

  /** Records what happened to the connection itself. */
  note(text: string): void {
    this.#add({ from: '*', text });
  }

  /** The dialogue so far, oldest first: `C: ` the client, `S: ` the server, `*: ` the connection. */
  get lines(): readonly string[] {
    this.#lines ??= this.#format(this.#entries);
    return this.#lines;
  }

  #add(entry: Entry): void {
    this.#lines = null;
    if (this.#entries.length >= 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
    this.#entries.push(entry);
    if (this.#debug) this.#report(this.#debug, entry);
  }

  /** A server line may come in pieces: `debug` gets it when it is whole. */
  #report(debug: (line: string) => void, entry: Entry): void {
    let { text } = entry;
    if (entry.from === 'S') {
      text = this.#partial + text.toString();
      const end = text.lastIndexOf('\n') + 1;
      this.#partial = text.slice(end);
      text = text.slice(0, end);
    }
    for (const line of this.#format([{ from: entry.from, text }])) debug(line);
  }

  #format(entries: readonly Entry[]): string[] {
    const lines: string[] = [];
    for (let index = 0; index < entries.length; ) {
      const { from } = entries[index] as Entry; // index is below the length
      let text = '';
      for (; entries[index]?.from === from; index++) text += entries[index]?.text.toString();
      for (const line of this.redact(text).split(/\r?\n/)) if (line !== '') lines.push(`${from}: ${line}`);
    }
    return lines;
  }
}
