// @ts-check
// The lines of src that tests ran, in vitest, threads and child processes: node scripts/coverage.js, after
// `npm test -- --coverage` and `npm run test:slow -- --coverage`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stdout } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import astV8ToIstanbul from 'ast-v8-to-istanbul';
import istanbul from 'istanbul-lib-coverage';
import { parseSync } from 'oxc-parser';

const LEAST = 90;
const root = fileURLToPath(new URL('..', import.meta.url));

/** @typedef {Map<number, boolean>} Lines Whether each line ran, by its number; lines without code are left out. */

/** @typedef {Omit<Parameters<typeof astV8ToIstanbul>[0], 'coverage'>} Built */

/** @type {Map<string, Built>} */
const built = new Map();
/** @type {Map<string, Lines>} */
const files = new Map();
const runs = ['quick', 'slow'].map((project) => join(root, 'coverage', project));
for (const run of runs) {
  const vitest = JSON.parse(readFileSync(join(run, 'coverage-final.json'), 'utf8'));
  addRuns(istanbul.createCoverageMap(vitest), true);
}
for (const run of runs) addRuns(await readProcesses(join(run, 'processes')), false);

let all = 0;
let ran = 0;
for (const [path, lines] of [...files].sort()) {
  const missed = [...lines].filter(([, hit]) => !hit).map(([line]) => line);
  all += lines.size;
  ran += lines.size - missed.length;
  const percent = lines.size === 0 ? 100 : 100 - (100 * missed.length) / lines.size;
  if (percent < LEAST) stdout.write(`${percent.toFixed(1).padStart(5)} %  ${path}  not run: ${ranges(missed)}\n`);
}
const total = (100 * ran) / all;
stdout.write(`coverage: ${total.toFixed(2)} % of ${all} lines in ${files.size} files (at least ${LEAST} %)\n`);
process.exitCode = total >= LEAST ? 0 : 1;

/**
 * Vitest knows every file, and says which lines have code; the lines that built files ran are added.
 *
 * @type {(map: istanbul.CoverageMap, isBase: boolean) => void}
 */
function addRuns(map, isBase) {
  for (const file of map.files()) {
    const path = relative(root, file);
    const lines = files.get(path) ?? new Map();
    for (const [line, count] of Object.entries(map.fileCoverageFor(file).getLineCoverage())) {
      if (isBase || lines.has(Number(line))) lines.set(Number(line), lines.get(Number(line)) || count > 0);
    }
    if (isBase) files.set(path, lines);
  }
}

/** The lines of src that processes and threads ran in dist. @type {(folder: string) => Promise<istanbul.CoverageMap>} */
async function readProcesses(folder) {
  const map = istanbul.createCoverageMap({});
  const dist = pathToFileURL(join(root, 'dist/')).href;
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const text = readFileSync(join(folder, name), 'utf8');
    if (!text.trimEnd().endsWith('}')) continue; // the process was killed while writing, as some tests do
    /** @type {import('node:inspector').Profiler.TakePreciseCoverageReturnType} */
    const report = JSON.parse(text);
    for (const coverage of report.result.filter(({ url }) => url.startsWith(dist))) {
      if (!existsSync(`${fileURLToPath(coverage.url)}.map`)) continue; // it only re-exports other files
      map.merge(await astV8ToIstanbul({ ...readBuilt(coverage.url), coverage }));
    }
  }
  return map;
}

/** A built file with its source map and syntax tree. @type {(url: string) => Built} */
function readBuilt(url) {
  const known = built.get(url);
  if (known) return known;
  const path = fileURLToPath(url);
  const code = readFileSync(path, 'utf8');
  const ast = /** @type {any} */ (parseSync(path, code).program); // ESTree under another name
  const read = { code, ast, sourceMap: JSON.parse(readFileSync(`${path}.map`, 'utf8')) };
  built.set(url, read);
  return read;
}

/** @type {(lines: number[]) => string} */
function ranges(lines) {
  /** @type {[number, number][]} */
  const found = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (last && line <= last[1] + 1) last[1] = line;
    else found.push([line, line]);
  }
  return found.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(', ');
}
