// @ts-check
// node scripts/check-docs.js [--write], after `npm run build`: every public name and member has a docstring, every type it
// names is public too, and etc/api.md agrees with the package; --write updates etc/api.md.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { readPublicApi } from './lib/public-api.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const api = readPublicApi(root);
const symbols = [...api.values()].flat();
const known = new Set([...symbols.map(({ name }) => name), ...Object.getOwnPropertyNames(globalThis)]);
const BUILT_IN =
  /^(Readonly|Record|Partial|Required|Pick|Omit|Exclude|Extract|NonNullable|ReturnType|Parameters|ConstructorParameters|Uppercase|Awaited|Async\w+|Iter\w+|Promise\w*|Readonly\w+|Blob|\w*Array|ArrayBufferView|const|NodeJS|Error\w*|PropertyKey|InstanceType|NoInfer)$/;

const faults = new Set(
  symbols.flatMap(({ name, file, parent, undocumented, references }) => [
    ...undocumented
      .filter((member) => !isDocumentedBy(parent, member) && !isDocumentedBy(`${name}Init`, member))
      .map((member) => `${file}: ${member} has no docstring`),
    ...references
      .filter((reference) => !known.has(reference) && !BUILT_IN.test(reference))
      .map((reference) => `${file}: ${name} names ${reference}, which no entry point exports`),
  ]),
);

const report = printReport();
const reportFile = join(root, 'etc/api.md');
if (argv.includes('--write')) {
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(reportFile, report);
} else if (!existsSync(reportFile) || readFileSync(reportFile, 'utf8') !== report) {
  faults.add('etc/api.md is not what the package shows: look at the change, then run npm run api');
}

for (const fault of faults) stdout.write(`docs: ${fault}\n`);
stdout.write(`docs: ${symbols.length} public names in ${api.size} entry points, ${faults.size} faults\n`);
process.exitCode = faults.size === 0 ? 0 : 1;

/** Whether the docstring of a member is in a parent class, or in the options of the constructor. @type {(other: string | null, member: string) => boolean} */
function isDocumentedBy(other, member) {
  const symbol = symbols.find(({ name }) => name === other);
  return symbol ? symbol.members.includes(member.split('.')[1] ?? '') || isDocumentedBy(symbol.parent, member) : false;
}

function printReport() {
  /** @type {Map<string, string>} */
  const shown = new Map();
  const sections = [...api].map(([specifier, entries]) => {
    const own = entries.filter(({ text }) => !shown.has(text));
    const again = entries.filter(({ text }) => shown.has(text));
    for (const { text } of own) shown.set(text, specifier);
    const parts = [`## ${specifier}`];
    if (again.length > 0)
      parts.push(again.map(({ name, text }) => `\`${name}\`: as in ${shown.get(text)}`).join('  \n'));
    if (own.length > 0) parts.push(`\`\`\`ts\n${own.map(({ text }) => text).join('\n\n')}\n\`\`\``);
    return parts.join('\n\n');
  });
  return `# What the package shows\n\nWritten by \`npm run api\`; a change here is a change of the public API.\n\n${sections.join('\n\n')}\n`;
}
