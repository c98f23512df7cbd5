/** How much memory is taken at a time for what is copied. */
const SLAB = 64 * 1024;
/** Content up to this size is copied next to its commands; larger content is written without a copy. */
const COPIED = 8 * 1024;

/** What is written together: command lines, and content between them. */
export class Group {
  /** Filled from front to back, over as many groups as fit; what was handed out is never written again. */
  #slab: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #parts: Uint8Array[] = [];

  get isEmpty(): boolean {
    return this.#start === this.#end && this.#parts.length === 0;
  }

  addText(text: string): void {
    this.#reserve(3 * text.length); // the most bytes UTF-8 needs for a UTF-16 unit
    this.#end += this.#slab.write(text, this.#end, 'utf8');
  }

  addBytes(bytes: Uint8Array): void {
    if (bytes.length > COPIED) {
      this.#cut();
      this.#parts.push(bytes);
      return;
    }
    this.#reserve(bytes.length);
    this.#slab.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** What was added since the last time, in order. */
  take(): readonly Uint8Array[] {
    this.#cut();
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  #reserve(bytes: number): void {
    if (this.#slab.length - this.#end >= bytes) return;
    this.#cut();
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB, bytes));
    this.#start = 0;
    this.#end = 0;
  }

  #cut(): void {
    if (this.#start < this.#end) this.#parts.push(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}
