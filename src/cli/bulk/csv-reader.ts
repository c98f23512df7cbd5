import { UsageError } from '../usage-error.ts';

/** A row of a CSV file. */
export interface CsvRow {
  /** The line it begins on, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A row may have so many characters: a quote that is never closed must not hold the whole file. */
const MAX_ROW = 4_000_000;

/** Where the reader is: before a cell, in a plain or quoted one, behind a quote in that, or behind a CR after it. */
type Place = 'start' | 'plain' | 'quoted' | 'quote' | 'cr';

/**
 * Reads CSV by RFC 4180, piece by piece, each character once; lines may end with LF alone, and empty ones are skipped.
 *
 * @throws {UsageError} for a quote that is not closed, and for text behind one that is.
 */
export class CsvReader {
  #place: Place = 'start';
  #cells: string[] = [];
  #cell = '';
  /** Whether the row has more than a line end. */
  #isBegun = false;
  #length = 0;
  #line = 1;
  #rowLine = 1;
  #rows: CsvRow[] = [];

  /** The rows that are whole after this piece. */
  push(piece: string): CsvRow[] {
    for (let at = 0; at < piece.length; ) {
      const end = this.#read(piece, at);
      this.#length = this.#isBegun ? this.#length + end - at : 0;
      if (this.#length > MAX_ROW) throw this.#fault(`is longer than ${MAX_ROW} characters: is a quote not closed?`);
      at = end;
    }
    return this.#take();
  }

  /** The row that ends with the file. */
  end(): CsvRow[] {
    if (this.#place === 'quoted') throw this.#fault('has a quote that is not closed');
    if (this.#isBegun) this.#endRow(this.#place === 'plain');
    return this.#take();
  }

  #take(): CsvRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  /** Reads on to the next place; returns where it is. */
  #read(text: string, at: number): number {
    const character = text[at];
    switch (this.#place) {
      case 'start':
        this.#isBegun ||= character !== '\n';
        this.#place = character === '"' ? 'quoted' : 'plain';
        return character === '"' ? at + 1 : at;
      case 'plain':
        return this.#readPlain(text, at);
      case 'quoted': {
        const quote = text.indexOf('"', at);
        const end = quote < 0 ? text.length : quote;
        this.#add(text.slice(at, end));
        if (quote < 0) return end;
        this.#place = 'quote';
        return end + 1;
      }
      case 'quote':
        if (character === '"') {
          this.#cell += '"';
          this.#place = 'quoted';
        } else if (character === ',') this.#endCell();
        else if (character === '\n') this.#endRow(false);
        else if (character === '\r') this.#place = 'cr';
        else throw this.#behindQuote();
        return at + 1;
      case 'cr':
        if (character !== '\n') throw this.#behindQuote();
        this.#endRow(false);
        return at + 1;
    }
  }

  #readPlain(text: string, at: number): number {
    let end = at;
    while (end < text.length && text[end] !== ',' && text[end] !== '\n') end++;
    this.#cell += text.slice(at, end);
    if (end === text.length) return end;
    if (text[end] === ',') this.#endCell();
    else this.#endRow(true);
    return end + 1;
  }

  #add(quoted: string): void {
    this.#cell += quoted;
    for (let at = quoted.indexOf('\n'); at >= 0; at = quoted.indexOf('\n', at + 1)) this.#line++;
  }

  #endCell(): void {
    this.#cells.push(this.#cell);
    this.#cell = '';
    this.#place = 'start';
  }

  /** @param isPlain whether a CR at its end belongs to the line end */
  #endRow(isPlain: boolean): void {
    const isQuoted = this.#place === 'quote' || this.#place === 'cr';
    if (isPlain && this.#cell.endsWith('\r')) this.#cell = this.#cell.slice(0, -1);
    this.#endCell();
    const cells = this.#cells;
    if (cells.length > 1 || cells[0] !== '' || isQuoted) this.#rows.push({ line: this.#rowLine, cells });
    this.#cells = [];
    this.#isBegun = false;
    this.#rowLine = ++this.#line;
  }

  #behindQuote(): UsageError {
    return this.#fault('has text behind a closed quote: a quote inside a cell is doubled');
  }

  #fault(text: string): UsageError {
    return new UsageError(`the row that begins on line ${this.#rowLine} ${text}`);
  }
}
