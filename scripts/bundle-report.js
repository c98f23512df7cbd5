// @ts-check
// What a bundle of a program has of the package: node scripts/bundle-report.js, after `npm run build`.
// A limit is what was measured and a little more: who passes it finds out what came along, or has a reason to raise it.
// What is built is measured, as users bundle it: of its few files a bundler leaves out statements, not modules.
import { stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The programs, and how many bytes each may have: those it starts with, and those together with what it loads later. */
const PROGRAMS = [
  { name: 'dummy', program: `export * from 'amsdal-mail/dummy'`, now: 127_000, all: 132_000 },
  { name: 'console', program: `export * from 'amsdal-mail/console'`, now: 127_000, all: 132_000 },
  { name: 'file', program: `export * from 'amsdal-mail/file'`, now: 127_000, all: 132_000 },
  { name: 'smtp', program: `export * from 'amsdal-mail/smtp'`, now: 149_000, all: 252_000 },
  { name: 'ses', program: `export * from 'amsdal-mail/ses'`, now: 142_000, all: 239_000 },
  { name: 'mime', program: `export * from 'amsdal-mail/mime'`, now: 88_000, all: 93_000 },
  {
    name: 'sendMail',
    program: `import { sendMail } from 'amsdal-mail'; await sendMail({ to: 'ann@example.com', subject: 'x', message: 'x' })`,
    now: 174_000,
    all: 277_000,
  },
  { name: 'one value', program: `export { ALL_FEATURES } from 'amsdal-mail'`, now: 132_000, all: 235_000 },
];

/** The bytes of a program, minified: of what it loads at its start, and of everything. @param {string} program */
async function measure(program) {
  const bundle = await rolldown({
    cwd: root,
    input: 'program',
    platform: 'node',
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? `${root}program.js` : null),
        load: (id) => (id === `${root}program.js` ? program : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  const chunks = new Map(output.flatMap((chunk) => (chunk.type === 'chunk' ? [[chunk.fileName, chunk]] : [])));
  const size = (/** @type {Iterable<string>} */ names) =>
    [...names].reduce((sum, name) => sum + Buffer.byteLength(chunks.get(name)?.code ?? ''), 0);
  const now = new Set([...chunks.values()].filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
  for (const name of now) for (const next of chunks.get(name)?.imports ?? []) now.add(next);
  return { now: size(now), all: size(chunks.keys()) };
}

let isOver = false;
stdout.write(
  `${'bundle of'.padEnd(12)}${'at start'.padStart(10)}${'limit'.padStart(10)}${'all'.padStart(10)}${'limit'.padStart(10)}\n`,
);
for (const { name, program, ...limit } of PROGRAMS) {
  const { now, all } = await measure(program);
  const numbers = [now, limit.now, all, limit.all].map((bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(10));
  const over = now > limit.now || all > limit.all;
  isOver ||= over;
  stdout.write(`${name.padEnd(12)}${numbers.join('')}${over ? '  over its limit' : ''}\n`);
}
process.exitCode = isOver ? 1 : 0;
