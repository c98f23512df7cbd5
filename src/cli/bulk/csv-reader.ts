import { UsageError } from '../usage-error.ts';

/** A row of a CSV file. */
export interface CsvRow {
  /** The line it begins on, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A row may have so many characters: a quote that is never closed must not hold the whole file. */
const MAX_ROW = 4_000_000;

/**
 * Reads CSV by RFC 4180, piece by piece; lines may end with LF alone, and empty ones are skipped.
 *
 * @throws {UsageError} for a quote that is not closed, and for text behind one that is.
 */
export class CsvReader {
  #rest = '';
  #line = 1;

  /** The rows that are whole after this piece. */
  push(piece: string): CsvRow[] {
    return this.#read(this.#rest + piece, false);
  }

  /** The row that ends with the file. */
  end(): CsvRow[] {
    return this.#read(this.#rest, true);
  }

  #read(text: string, isEnd: boolean): CsvRow[] {
    const rows: CsvRow[] = [];
    let start = 0;
    while (start < text.length) {
      const row = this.#readRow(text, start, isEnd);
      if (row === null) break;
      if (row.cells.length > 1 || row.cells[0] !== '' || text[start] === '"')
        rows.push({ line: this.#line, cells: row.cells });
      for (let at = text.indexOf('\n', start); at >= 0 && at < row.end; at = text.indexOf('\n', at + 1)) this.#line++;
      start = row.end;
    }
    this.#rest = text.slice(start);
    if (this.#rest.length > MAX_ROW) throw this.#fault(`is longer than ${MAX_ROW} characters: is a quote not closed?`);
    return rows;
  }

  /** One row with where it ends, or null when its end is not there yet. */
  #readRow(text: string, start: number, isEnd: boolean): { readonly cells: string[]; readonly end: number } | null {
    const cells: string[] = [];
    for (let at = start; ; ) {
      if (text[at] === '"') {
        let cell = '';
        for (let from = at + 1; ; ) {
          const quote = text.indexOf('"', from);
          if (quote < 0 && isEnd) throw this.#fault('has a quote that is not closed');
          // What follows a quote decides what it is.
          if (quote < 0 || (quote === text.length - 1 && !isEnd)) return null;
          cell += text.slice(from, quote);
          at = quote + 1;
          if (text[at] !== '"') break;
          cell += '"';
          from = at + 1;
        }
        cells.push(cell);
      } else {
        const from = at;
        while (at < text.length && text[at] !== ',' && text[at] !== '\n') at++;
        if (at === text.length && !isEnd) return null;
        const isLast = text[at] !== ',';
        cells.push(text.slice(from, isLast && text[at - 1] === '\r' && at > from ? at - 1 : at));
      }
      if (text[at] === '\r' && (text[at + 1] === '\n' || at + 1 === text.length)) at++;
      if (at >= text.length) return isEnd ? { cells, end: at } : null;
      if (text[at] === '\n') return { cells, end: at + 1 };
      if (text[at] !== ',') throw this.#fault('has text behind a closed quote: a quote inside a cell is doubled');
      at++;
    }
  }

  #fault(text: string): UsageError {
    return new UsageError(`the row that begins on line ${this.#line} ${text}`);
  }
}
