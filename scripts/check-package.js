// @ts-check
// Checks what users download: node scripts/check-package.js, after `npm run build`.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { entryPoints } from './lib/entry-points.js';

const MAX_PACKED = 900_000;
const ALLOWED =
  /^(dist\/.+\.(js|d\.ts)|dist\/cjs\/package\.json|dist\/(?:mailbox|outbox)\/page\/.+|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/;
const REQUIRED = ['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json', 'dist/cjs/package.json'];

const root = fileURLToPath(new URL('..', import.meta.url));
/** @type {{ dependencies?: Record<string, string> }} */
const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
/** @type {[{ size: number, unpackedSize: number, files: { path: string }[] }]} */
const [pack] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }),
);
const paths = pack.files.map(({ path }) => path);
const targets = entryPoints().flatMap(({ name }) =>
  ['dist', 'dist/cjs'].flatMap((folder) => [`${folder}/${name}.js`, `${folder}/${name}.d.ts`]),
);

const faults = [
  ...paths.filter((path) => !ALLOWED.test(path)).map((path) => `${path} does not belong in the package`),
  ...[...REQUIRED, ...targets].filter((path) => !paths.includes(path)).map((path) => `${path} is missing`),
  ...Object.keys(manifest.dependencies ?? {}).map((name) => `${name} is required: make it an optional peer`),
  ...(pack.size > MAX_PACKED ? [`${pack.size} bytes packed are more than ${MAX_PACKED}`] : []),
];
for (const fault of faults) stdout.write(`package: ${fault}\n`);
stdout.write(`package: ${paths.length} files, ${pack.size} bytes packed, ${pack.unpackedSize} unpacked\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
