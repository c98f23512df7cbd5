import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** One line of a benchmark: what was measured for each library, and what was wanted of ours. */
export interface BenchRow {
  readonly name: string;
  /** Library to measurement, in `unit`; a smaller one is better. */
  readonly results: Readonly<Record<string, number>>;
  readonly unit: string;
  /** The least ratio of the first peer's measurement to ours. */
  readonly target?: number;
}

const OURS = 'amsdal-mail';

/** Prints rows as a table with each peer's ratio to ours, and writes them as JSON to `.cache/bench/NAME.json`. */
export function report(name: string, rows: readonly BenchRow[]): void {
  const peers = [...new Set(rows.flatMap(({ results }) => Object.keys(results)))].filter((peer) => peer !== OURS);
  const header = ['case', OURS, ...peers.flatMap((peer) => [peer, 'ratio']), 'wanted'];
  const lines = rows.map(({ name: label, results, unit, target }) => {
    const ours = results[OURS] ?? Number.NaN;
    const cells = peers.flatMap((peer) => {
      const theirs = results[peer];
      return theirs === undefined ? ['', ''] : [format(theirs, unit), `${(theirs / ours).toFixed(2)}x`];
    });
    return [label, format(ours, unit), ...cells, target === undefined ? '' : `${target}x`];
  });
  const widths = header.map((cell, at) => Math.max(cell.length, ...lines.map((line) => (line[at] ?? '').length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const machine = `Node ${process.version}, ${cpus()[0]?.model.trim() ?? process.arch}`;
  console.log(`\n${name} (${machine})\n`);
  console.log([line(header), line(widths.map((width) => '-'.repeat(width))), ...lines.map(line)].join('\n'));
  mkdirSync('.cache/bench', { recursive: true });
  writeFileSync(`.cache/bench/${name}.json`, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
}

/** The middle one of the numbers. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function format(value: number, unit: string): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(digits)} ${unit}`;
}
