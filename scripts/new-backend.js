// @ts-check
// Starts a new backend: npm run new-backend NAME ["Title"]. It writes every file that a backend needs and every line that lists
// it. The result type-checks, meets the contract of backends against a server of its own, and is yours to change.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { backendFile, changeset, docsPage, testFile } from './lib/backend-templates.js';
import { addEntryPoint } from './lib/entry-points.js';

/** @typedef {import('./lib/backend-templates.js').BackendNames} BackendNames */
/** @typedef {import('./lib/entry-points.js').Manifest} Manifest */

const root = fileURLToPath(new URL('..', import.meta.url));

/** @type {(name: string, title?: string) => BackendNames} */
function namesOf(name, title) {
  const words = name.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return {
    name,
    stem: words.join(''),
    prefix: name.toUpperCase().replaceAll('-', '_'),
    title: title ?? words.join(' '),
  };
}

/** Why there cannot be a backend of this name; null when there can. @type {(name: string | undefined, title: string | undefined) => string | null} */
function faultOf(name, title) {
  if (name === undefined)
    return 'usage: npm run new-backend NAME ["Title"], as in: npm run new-backend acme-mail "Acme Mail"';
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) return `${name}: a name is lower-case letters, digits and hyphens`;
  if (title !== undefined && !/^[\w .-]+$/.test(title))
    return `${title}: a title is letters, digits, blanks, dots and hyphens`;
  if (existsSync(join(root, `src/backends/${name}.ts`))) return `there is a backend '${name}' already`;
  if (read('package.json').includes(`"./${name}"`)) return `amsdal-mail/${name} is something else already`;
  return null;
}

/** @type {(names: BackendNames) => string[]} the files that were written */
function newBackend(names) {
  const { name, stem, prefix, title } = names;
  const files = {
    [`src/backends/${name}.ts`]: backendFile(names),
    [`test/backends/${name}.test.ts`]: testFile(names),
    [`docs/${name}.md`]: docsPage(names),
    [`.changeset/${name}-backend.md`]: changeset(names),
    'src/connection/built-in.ts': withExports(read('src/connection/built-in.ts'), `../backends/${name}.ts`, [
      `export { ${stem}Backend as ${name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())} } from '../backends/${name}.ts';`,
    ]),
    'src/index.ts': withExports(read('src/index.ts'), `./backends/${name}.ts`, [
      `export type { ${stem}Options } from './backends/${name}.ts';`,
      `export { ${stem}Backend } from './backends/${name}.ts';`,
    ]),
    'package.json': withEntryPoint(read('package.json'), name),
    'README.md': [
      { before: '| `./my-backend.js#MyBackend`', text: `| \`${name}\` | through ${title} |\n` },
      { before: '| `AMSDAL_EMAIL_NAME_URL`', text: `| \`${prefix}_API_KEY\` | | \`apiKey\` of ${title} |\n` },
      { before: '\n- [Bulk mail](docs/bulk.md)', text: `, [${title}](docs/${name}.md)` },
    ].reduce((text, place) => insert('README.md', text, place), read('README.md')),
    'llms.txt': insert('llms.txt', read('llms.txt'), {
      before: '- [Bulk mail](docs/bulk.md)',
      text: `- [${title}](docs/${name}.md): options, what each answer means\n`,
    }),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const formatted = Object.keys(files).filter((path) => /\.ts$|^package\.json$/.test(path));
  execFileSync(
    process.execPath,
    [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'format', '--write', ...formatted],
    {
      cwd: root,
    },
  );
  return Object.keys(files);
}

/** @type {(path: string) => string} */
function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

/** @type {(path: string, text: string, place: { readonly before: string, readonly text: string }) => string} */
function insert(path, text, place) {
  const at = text.indexOf(place.before);
  if (at < 0) throw new Error(`${path} has no ${JSON.stringify(place.before)}, before which the new backend is named`);
  return text.slice(0, at) + place.text + text.slice(at);
}

/** Inserts exports into a module that only exports, sorted by the module they come from. @type {(text: string, from: string, lines: readonly string[]) => string} */
function withExports(text, from, lines) {
  const statements = [...text.matchAll(/^export [^;]* from '([^']+)';$/gm)];
  const next = statements.find(([, source = '']) => source > from);
  const at = next?.index ?? text.length;
  return `${text.slice(0, at)}${lines.join('\n')}\n${text.slice(at)}`;
}

/** @type {(text: string, name: string) => string} */
function withEntryPoint(text, name) {
  /** @type {Manifest} */
  const manifest = JSON.parse(text);
  return `${JSON.stringify(addEntryPoint(manifest, `./${name}`, `backends/${name}`), null, 2)}\n`;
}

const [, , name, title] = argv;
const fault = faultOf(name, title);
if (name === undefined || fault !== null) {
  stderr.write(`new-backend: ${fault}\n`);
  process.exitCode = 2;
} else {
  const written = newBackend(namesOf(name, title));
  stdout.write(`${written.map((path) => `  ${path}\n`).join('')}
Now make src/backends/${name}.ts follow the provider's documentation, let its test answer as the provider does, and write
in docs/${name}.md what users need to know; then: npm run types && npx vitest run test/backends/${name}.test.ts && npm run api
`);
}
