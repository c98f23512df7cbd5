// @ts-check
// How much of the package ends up in a bundle: node scripts/bundle-report.js, after `npm run build`.
// A limit is a little more than what was measured: when it is exceeded, find out what was added, or have a reason to raise it.
// The build is measured, since that is what users bundle: from its few files bundlers drop statements, not modules.
import { stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The programs and their limits in bytes: what loads at the start, and everything, what loads later included. */
const PROGRAMS = [
  { name: 'dummy', program: `export * from 'amsdal-mail/dummy'`, now: 80_000, all: 133_500 },
  { name: 'console', program: `export * from 'amsdal-mail/console'`, now: 81_000, all: 134_000 },
  { name: 'file', program: `export * from 'amsdal-mail/file'`, now: 82_500, all: 136_000 },
  { name: 'smtp', program: `export * from 'amsdal-mail/smtp'`, now: 93_000, all: 222_000 },
  { name: 'ses', program: `export * from 'amsdal-mail/ses'`, now: 91_000, all: 204_000 },
  // The engine of providers with an HTTP API is loaded later, and so is what each says: rolldown keeps them for any backend.
  { name: 'resend', program: `export * from 'amsdal-mail/resend'`, now: 87_000, all: 196_000 },
  { name: 'mime', program: `export * from 'amsdal-mail/mime'`, now: 70_000, all: 70_000 },
  // It knows every backend and wrapper by name.
  {
    name: 'sendMail',
    program: `import { sendMail } from 'amsdal-mail'; await sendMail({ to: 'ann@example.com', subject: 'x', message: 'x' })`,
    now: 169_500,
    all: 543_000,
  },
  // Whatever a late part shares with others is kept by rolldown, even where nothing loads that part.
  { name: 'one value', program: `export { ALL_FEATURES } from 'amsdal-mail'`, now: 80_000, all: 292_000 },
];

/**
 * What may be left of the package when a program imports it and uses nothing of it, and the bundler takes no word for it that
 * its files have no effect: a static block, a spread or a call that is not marked as pure keeps what it refers to.
 */
const IDLE_LIMIT = 500;

/** The bytes that the mere import of a module leaves. @param {string} specifier */
async function measureIdle(specifier) {
  const chunks = await bundleOf(`import '${specifier}'`, {
    treeshake: { moduleSideEffects: (_, isExternal) => !isExternal },
    plugins: [
      {
        name: 'later',
        resolveId: (id, _, { kind }) => (kind === 'dynamic-import' ? { id, external: true } : null),
      },
    ],
  });
  return chunks.reduce((sum, { code }) => sum + Buffer.byteLength(code), 0);
}

/** @param {string} program @param {import('rolldown').InputOptions} [options] */
async function bundleOf(program, { plugins, ...options } = {}) {
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
      plugins,
    ],
    ...options,
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  return output.filter((chunk) => chunk.type === 'chunk');
}

/** The bytes of a program, minified: of what it loads at its start, and of everything. @param {string} program */
async function measure(program) {
  const chunks = new Map((await bundleOf(program)).map((chunk) => [chunk.fileName, chunk]));
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
for (const specifier of ['amsdal-mail', 'amsdal-mail/mime', 'amsdal-mail/smtp', 'amsdal-mail/file']) {
  const bytes = await measureIdle(specifier);
  isOver ||= bytes > IDLE_LIMIT;
  stdout.write(`import '${specifier}' and nothing of it: ${bytes} B, limit ${IDLE_LIMIT} B\n`);
}
process.exitCode = isOver ? 1 : 0;
