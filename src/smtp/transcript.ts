/** How many writes and chunks are kept. */
const KEPT = 64;
/** How many octets of one chunk are kept. */
const KEPT_OCTETS = 2048;

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
  /** What replies quoted of the mails' content, the latest last. */
  readonly #quotes: string[] = [];
  /** What the server said and `debug` has not shown yet. */
  #unreported = '';

  constructor(debug?: (line: string) => void) {
    this.#debug = debug;
  }

  /** Remembers a secret: it never shows again, whoever says it. */
  hide(secret: string): void {
    if (secret !== '' && !this.#secrets.includes(secret)) this.#secrets.push(secret);
    this.#secrets.sort((a, b) => b.length - a.length);
  }

  /** Remembers that a reply quoted this of a mail's content: it shows as `[content]`. */
  hideQuote(quote: string): void {
    if (this.#quotes.includes(quote)) return;
    this.#quotes.push(quote);
    if (this.#quotes.length > KEPT) this.#quotes.shift();
    this.#lines = null;
  }

  /** Replaces every hidden secret, and every quotation of content, in a text. */
  redact(text: string): string {
    let redacted = this.#withoutSecrets(text);
    for (const quote of this.#quotes) if (redacted.includes(quote)) redacted = redacted.replaceAll(quote, '[content]');
    return redacted;
  }

  #withoutSecrets(text: string): string {
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

  /** Records bytes that were received; they are copied, since the buffer is used again. */
  received(chunk: Buffer): void {
    this.#add('S', chunk.toString('latin1', Math.max(0, chunk.length - KEPT_OCTETS)));
  }

  /** What was received has been understood: what it quotes of a mail is known by now, and `debug` may show it. */
  understood(): void {
    if (this.#unreported === '' || !this.#debug) return;
    const end = this.#unreported.lastIndexOf('\n') + 1;
    const whole = this.#unreported.slice(0, end);
    this.#unreported = this.#unreported.slice(end);
    for (const line of this.#format('S', whole)) this.#debug(line);
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
    if (!this.#debug) return;
    if (who === 'S') {
      this.#unreported += what; // a line may come in pieces
      return;
    }
    this.understood();
    for (const line of this.#format(who, textOf(who, what))) this.#debug(line);
  }

  #recall(): string[] {
    const lines: string[] = [];
    const first = Math.max(0, this.#count - KEPT);
    let text = '';
    for (let entry = first; entry < this.#count; entry++) {
      const slot = entry % KEPT;
      const who = this.#speakers[slot] ?? '*';
      text += textOf(who, this.#said[slot] ?? '');
      // What one side says without a break is put together first: a secret may come in pieces.
      if (entry + 1 < this.#count && this.#speakers[(entry + 1) % KEPT] === who) continue;
      lines.push(...this.#format(who, text));
      text = '';
    }
    return lines;
  }

  #format(who: Speaker, text: string): string[] {
    const spoken = who === 'S' ? Buffer.from(text, 'latin1').toString() : text;
    const lines = (who === 'C' ? this.#withoutSecrets(spoken) : this.redact(spoken)).split(/\r?\n/);
    return lines.flatMap((line) => (line === '' ? [] : [`${who}: ${line}`]));
  }
}

/** What the server says comes as it was cut up, one character an octet; what we say is whole lines. */
function textOf(who: Speaker, what: string | number): string {
  if (typeof what === 'number') return `(${what} octets of content)\n`;
  if (who === 'S') return what;
  return what.endsWith('\n') ? what : `${what}\n`;
}
