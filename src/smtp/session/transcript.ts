/** How many writes and chunks are kept. */
const KEPT = 64;
/** How many characters of one reply are kept. */
const KEPT_CHARACTERS = 2048;

type Speaker = 'C' | 'S' | '*';

/**
 * The recent dialogue of one connection, for errors and `debug`, with every secret replaced by `***`.
 *
 * Writes and chunks are only remembered, in a ring; lines are made when an error needs them, so that a session without
 * errors pays next to nothing. Message content is never recorded, only its size.
 */
export class Transcript {
  readonly #debug: ((line: string) => void) | undefined;
  readonly #speakers: Speaker[] = [];
  readonly #said: (string | number)[] = [];
  #count = 0;
  #lines: readonly string[] | null = null;
  readonly #secrets: string[] = [];

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
  sent(lines: string): void {
    this.#add('C', lines);
  }

  /** Records how much content was written. */
  sentContent(octets: number): void {
    this.#add('C', octets);
  }

  /** Records a reply of the server, as it was understood: without what it quotes of a mail. */
  received(reply: string): void {
    this.#add('S', reply.length > KEPT_CHARACTERS ? `${reply.slice(0, KEPT_CHARACTERS)}…` : reply);
  }

  /** Records what happened to the connection itself. */
  note(text: string): void {
    this.#add('*', text);
  }

  /** The dialogue so far, oldest first: `C: ` the client, `S: ` the server, `*: ` the connection. */
  get lines(): readonly string[] {
    this.#lines ??= this.#recall();
    return this.#lines;
  }

  #add(who: Speaker, what: string | number): void {
    const slot = this.#count++ % KEPT;
    this.#speakers[slot] = who;
    this.#said[slot] = what;
    this.#lines = null;
    if (this.#debug) for (const line of this.#format(who, textOf(what))) this.#debug(line);
  }

  #recall(): string[] {
    const lines: string[] = [];
    for (let entry = Math.max(0, this.#count - KEPT); entry < this.#count; entry++) {
      const slot = entry % KEPT;
      lines.push(...this.#format(this.#speakers[slot] ?? '*', textOf(this.#said[slot] ?? '')));
    }
    return lines;
  }

  #format(who: Speaker, text: string): string[] {
    const lines = this.redact(text).split(/\r?\n/);
    return lines.flatMap((line) => (line === '' ? [] : [`${who}: ${line}`]));
  }
}

function textOf(what: string | number): string {
  return typeof what === 'number' ? `(${what} octets of content)` : what;
}
