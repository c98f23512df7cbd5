import type { Socket } from 'node:net';
import type { Random } from './random.ts';

/** How replies leave: those of one chunk of commands together, each by itself, in pieces, or some milliseconds late. */
export type ReplyStyle = 'joined' | 'single' | 'split' | 'late';

/** Writes the replies of one connection in their order. */
export class ReplyWriter {
  readonly #socket: Socket;
  readonly #style: ReplyStyle;
  readonly #random: Random;
  /** What is still to be written; `isWhole` is never cut, as it shows something only in one piece. */
  readonly #waiting: { readonly text: string; readonly isWhole: boolean }[] = [];
  #isWriting = false;
  #last: (() => void) | null = null;

  constructor(socket: Socket, style: ReplyStyle, random: Random) {
    this.#socket = socket;
    this.#style = style;
    this.#random = random;
  }

  add(text: string, isWhole = false): void {
    if (this.#last) return;
    this.#waiting.push({ text, isWhole });
    if (this.#style !== 'joined') this.flush();
  }

  /** The commands that came together are carried out. */
  flush(): void {
    if (this.#isWriting) return;
    if (this.#style === 'joined' || this.#style === 'single') {
      const text = this.#takeAll();
      if (text !== '') this.#write(text);
      this.#end();
      return;
    }
    this.#isWriting = true;
    void this.#writeSlowly();
  }

  /** Calls `last` when everything has been written; nothing can be added any more. */
  finish(last: () => void): void {
    if (this.#last) return;
    this.#last = last;
    this.flush();
  }

  async #writeSlowly(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#style === 'late') {
        await new Promise((resolve) => setTimeout(resolve, this.#random.integer(1, 8)));
        this.#write(this.#takeAll());
        continue;
      }
      const next = this.#waiting.shift();
      if (!next) break;
      const length = next.isWhole ? next.text.length : this.#random.integer(1, next.text.length);
      this.#write(next.text.slice(0, length));
      if (length < next.text.length) this.#waiting.unshift({ text: next.text.slice(length), isWhole: false });
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isWriting = false;
    this.#end();
  }

  #takeAll(): string {
    return this.#waiting
      .splice(0)
      .map(({ text }) => text)
      .join('');
  }

  #write(text: string): void {
    if (this.#socket.writable) this.#socket.write(text, 'latin1');
  }

  #end(): void {
    const last = this.#last;
    if (!last || this.#waiting.length > 0) return;
    this.#last = () => {};
    last();
  }
}
