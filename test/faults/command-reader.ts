/** Who is told what a client sent, in its order. */
export interface CommandSink {
  /** A line without its end. */
  onCommand(line: string): void;
}

/** Takes the bytes of a client apart: lines, and the contents between them that a command announced. */
export class CommandReader {
  readonly #sink: CommandSink;
  #input = '';
  #isStopped = false;
  /** Takes the content that is read next out of the input; null while it is not complete. */
  #takeContent: (() => string | null) | null = null;
  #onContent: (content: string) => void = () => {};

  constructor(sink: CommandSink) {
    this.#sink = sink;
  }

  /** Whether more has come than was read, behind a line and no content. */
  get hasMore(): boolean {
    return this.#input !== '' && this.#takeContent === null;
  }

  /** Reads nothing any more. */
  stop(): void {
    this.#isStopped = true;
    this.#input = '';
  }

  push(text: string): void {
    this.#input += text;
    while (!this.#isStopped && this.#readOn()) {}
  }

  /** The next octets are a chunk (RFC 3030). */
  readChunk(octets: number, onChunk: (chunk: string) => void): void {
    this.#onContent = onChunk;
    this.#takeContent = () => {
      if (this.#input.length < octets) return null;
      return this.#cut(octets, 0);
    };
  }

  /** What follows is a content up to its dot, which is taken off with those that were added (RFC 5321, section 4.5.2). */
  readData(onData: (content: string) => void): void {
    this.#onContent = (stuffed) => onData(stuffed.replace(/(^|\r\n)\./g, '$1'));
    this.#takeContent = () => {
      if (this.#input.startsWith('.\r\n')) return this.#cut(0, 3);
      const end = this.#input.indexOf('\r\n.\r\n');
      return end < 0 ? null : this.#cut(end + 2, 3);
    };
  }

  /** Reads one line or content; false when it is not complete yet. */
  #readOn(): boolean {
    if (this.#takeContent) {
      const content = this.#takeContent();
      if (content === null) return false;
      this.#takeContent = null;
      this.#onContent(content);
      return true;
    }
    const end = this.#input.indexOf('\n');
    if (end < 0) return false;
    this.#sink.onCommand(this.#cut(end, 1).replace(/\r$/, ''));
    return true;
  }

  #cut(length: number, mark: number): string {
    const text = this.#input.slice(0, length);
    this.#input = this.#input.slice(length + mark);
    return text;
  }
}
