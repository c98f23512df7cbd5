import { createReadStream, statSync } from 'node:fs';
import { reasonOf } from '../../util/reason.ts';
import { UsageError } from '../failure.ts';
import { CsvReader, type CsvRow } from './csv-reader.ts';

/** A row with a person to write to, numbered from 1 after the header line. */
export interface Person extends CsvRow {
  readonly row: number;
}

/**
 * The names of the columns, from the first line of a CSV file.
 *
 * @throws {UsageError} when the file has none, or a name twice
 */
export async function readColumns(path: string): Promise<readonly string[]> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFIFO() || stat?.isSocket() || stat?.isCharacterDevice())
    throw new UsageError(
      `${path} is no file: it is read more than once, also when a run goes on, so save it as a file`,
    );
  for await (const { cells } of readRows(path)) {
    const columns = cells.map((cell) => cell.trim());
    if (columns.length === 1 && /[;\t]/.test(columns[0] ?? ''))
      throw new UsageError(`${path} has no commas between its cells: save it as CSV with commas`);
    if (columns.some((name) => name.includes('\r')))
      throw new UsageError(`${path} has lines that end with CR alone: save it with LF or CR LF`);
    const twice = columns.find((name, at) => name !== '' && columns.indexOf(name) !== at);
    if (twice !== undefined) throw new UsageError(`${path} has two columns ${twice}`);
    return columns;
  }
  throw new UsageError(`${path} is empty: its first line names the columns, such as email,name`);
}

/**
 * The rows after the header line, as they are read, without those whose cells are all empty, which spreadsheets leave behind.
 *
 * @throws {UsageError} when a row has more or fewer cells than there are columns
 */
export async function* readPeople(path: string, width: number): AsyncGenerator<Person, void, undefined> {
  let row = 0;
  for await (const { line, cells } of readRows(path)) {
    if (row > 0 && cells.every((cell) => cell.trim() === '')) continue;
    if (cells.length !== width)
      throw new UsageError(`${path}, line ${line}: ${cells.length} cells, but the first line names ${width} columns`);
    if (row > 0) yield { row, line, cells };
    row++;
  }
}

async function* readRows(path: string): AsyncGenerator<CsvRow, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = new CsvReader();
  try {
    let isFirst = true;
    for await (const row of rowsOf(path, reader, decoder)) {
      if (!isFirst || !isSeparatorLine(row)) yield row;
      isFirst = false;
    }
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${path}: ${error.message}`);
    if (error instanceof TypeError) throw new UsageError(`${path} is not UTF-8: save it as UTF-8`);
    throw new UsageError(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

async function* rowsOf(path: string, reader: CsvReader, decoder: TextDecoder): AsyncGenerator<CsvRow, void, undefined> {
  for await (const bytes of createReadStream(path)) yield* reader.push(decoder.decode(bytes, { stream: true }));
  decoder.decode();
  yield* reader.end();
}

/** Whether a row is `sep=,`, which Excel writes first. @throws {UsageError} when it names another separator */
function isSeparatorLine({ cells }: CsvRow): boolean {
  const [, separator] = /^sep=(.?)$/i.exec(cells.join(',')) ?? [];
  if (separator === undefined) return false;
  if (separator === ',') return true;
  const shown = separator === '\t' ? 'a tab' : `'${separator}'`;
  throw new UsageError(`the first line says that its cells are separated by ${shown}: save it as CSV with commas`);
}
