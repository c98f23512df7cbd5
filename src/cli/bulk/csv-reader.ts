import { UsageError } from '../failure.ts';

/** A row of a CSV file. */
export interface CsvRow {
  /** The line it begins on, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** The most characters of a row: a quote that is never closed must not keep the whole file in memory. */
const MAX_ROW = 4_000_000;

/** Where the reader is: before a cell, in a plain or quoted one, after a quote inside a quoted one, or after a CR that follows that. */
type Place = 'start' | 'plain' | 'quoted' | 'quote' | 'cr';

/**
 * Reads CSV (RFC 4180) in pieces, each character once; lines may end with LF alone, and empty lines are skipped.
 *
 * @throws {UsageError} for a quote that is not closed, or text after a closing quote
 */
export class CsvReader {
  #place: Place = 'start';
  #cells: string[] = [];
  #cell = '';
  /** Whether the row has anything but a line end. */
  #hasBegun = false;
  #length = 0;
  #line = 1;
  #rowLine = 1;
  #rows: CsvRow[] = [];

  /** The rows that this piece completes. */
  push(piece: string): CsvRow[] {
    for (let at = 0; at < piece.length; ) {
      const end = this.#read(piece, at);
      this.#length = this.#hasBegun ? this.#length + end - at : 0;
      if (this.#length > MAX_ROW) throw this.#fault(`is longer than ${MAX_ROW} characters: is a quote not closed?`);
      at = end;
    }
    return this.#take();
  }

  /** The row that the end of the file completes. */
  end(): CsvRow[] {
    if (this.#place === 'quoted') throw this.#fault('has a quote that is not closed');
    if (this.#hasBegun) this.#endRow(this.#place === 'plain');
    return this.#take();
  }

  #take(): CsvRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  /** Reads up to the next change of place, and returns its position. */
  #read(text: string, at: number): number {
    const character = text[at];
    switch (this.#place) {
      case 'start':
        this.#hasBegun ||= character !== '\n';
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
        else throw this.#textAfterQuote();
        return at + 1;
      case 'cr':
        if (character !== '\n') throw this.#textAfterQuote();
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

  /** @param isPlain whether a CR at the end of the cell belongs to the line end */
  #endRow(isPlain: boolean): void {
    const isQuoted = this.#place === 'quote' || this.#place === 'cr';
    if (isPlain && this.#cell.endsWith('\r')) this.#cell = this.#cell.slice(0, -1);
    this.#endCell();
    const cells = this.#cells;
    if (cells.length > 1 || cells[0] !== '' || isQuoted) this.#rows.push({ line: this.#rowLine, cells });
    this.#cells = [];
    this.#hasBegun = false;
    this.#rowLine = ++this.#line;
  }

  #textAfterQuote(): UsageError {
    return this.#fault('has text after a closing quote: double a quote that is part of a cell');
  }

  #fault(text: string): UsageError {
    return new UsageError(`the row that begins on line ${this.#rowLine} ${text}`);
  }
}
