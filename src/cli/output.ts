import { stderr, stdout } from 'node:process';
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import type { DeliveryStatus } from '../model/status.ts';
import { wrapText } from './wrap-text.ts';

/** Colours: green for good, yellow for doubtful, red for bad results; dim, bold and cyan for the text around them. */
export type Color = 'green' | 'yellow' | 'red' | 'dim' | 'bold' | 'cyan';

/** The colour of each status. */
export const STATUS_COLORS: Readonly<Record<DeliveryStatus, Color>> = {
  sent: 'green',
  queued: 'green',
  invalid: 'red',
  rejected: 'red',
  failed: 'red',
  unknown: 'yellow',
};

/** A cell of a table: plain text, or coloured text. */
export type Cell = string | readonly [Color, string];

/**
 * How every command prints: its result on stdout, everything else (progress, warnings, errors) on stderr; with `--json`, stdout
 * is one JSON value and nothing else.
 */
export interface Output {
  readonly isJson: boolean;
  /** Prints the result as JSON; nothing without `--json`. */
  json(value: unknown): void;
  /** Prints a line of the result; nothing with `--json`. */
  line(text?: string): void;
  /**
   * Prints rows in aligned columns, control characters made visible; nothing with `--json`. On a terminal the last cell is
   * wrapped to its width; elsewhere a row is one line.
   */
  table(rows: readonly (readonly Cell[])[]): void;
  /** Prints a line on stderr. */
  note(text: string): void;
  /** Colours a text, where stdout shows colours. */
  paint(color: Color, text: string): string;
}

/** The output for `--json`, `--no-color` and the terminal. */
export function outputFor(values: { readonly json?: boolean; readonly 'no-color'?: boolean }): Output {
  const { json: isJson = false, 'no-color': noColor = false } = values;
  const isPainted = !noColor && showsColors(stdout);
  const paint = (color: Color, text: string): string => (isPainted ? styleText(color, text) : text);
  const line = (text = ''): void => {
    if (!isJson) stdout.write(`${text}\n`);
  };
  return {
    isJson,
    paint,
    line,
    json(value) {
      if (isJson) stdout.write(`${JSON.stringify(value)}\n`);
    },
    table(rows) {
      for (const text of alignRows(rows, paint, stdout.columns || Infinity)) line(text);
    },
    note(text) {
      stderr.write(`${text}\n`);
    },
  };
}

/** Whether a stream is a terminal that shows colours; NO_COLOR, FORCE_COLOR and TERM=dumb are respected. */
function showsColors(stream: WriteStream): boolean {
  return stream.isTTY === true && stream.hasColors();
}

/** Escapes control characters, so that text from a server or a file cannot control the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    character === '\n' ? ' ' : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

/** A number with thousands separators. */
export function formatCount(count: number): string {
  return count.toLocaleString('en');
}

/** Narrower columns are not wrapped. */
const MIN_COLUMN = 20;

function alignRows(rows: readonly (readonly Cell[])[], paint: Output['paint'], columns: number): readonly string[] {
  const clean = rows.map((row) =>
    row.map((cell) =>
      typeof cell === 'string' ? ([null, printable(cell)] as const) : ([cell[0], printable(cell[1])] as const),
    ),
  );
  const widths: number[] = [];
  for (const row of clean)
    for (const [at, [, text]] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, text.length);
  return clean.flatMap((row) => {
    const last = row.length - 1;
    const indent = widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
    const [color, text] = row[last] ?? [null, ''];
    const width = columns - indent;
    const isWrapped = text.length > width && width >= MIN_COLUMN;
    const [first = '', ...more] = (isWrapped ? wrapText(text, width) : [text]).map((line) =>
      color === null ? line : paint(color, line),
    );
    const cells = row.slice(0, last).map(([cellColor, cell], at) => {
      const padding = ' '.repeat((widths[at] ?? 0) - cell.length);
      return `${cellColor === null ? cell : paint(cellColor, cell)}${padding}`;
    });
    return [[...cells, first].join('  ').trimEnd(), ...more.map((line) => ' '.repeat(indent) + line)];
  });
}
