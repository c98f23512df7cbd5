import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { HERE, installPacked, PROGRAMS, runProgram, tool } from './packed.ts';

// One program, bundled by everything that people bundle with: no warning, and the bundle sends.

let server: SmtpServer;
let folder = '';
let received = 0;
beforeAll(async () => {
  await installPacked();
  mkdirSync(join(HERE, '.work'), { recursive: true });
  folder = mkdtempSync(join(HERE, '.work/bundles-'));
  server = await SmtpServer.start({
    onMessage: () => {
      received++;
      return undefined;
    },
  });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const SOURCE = JSON.stringify(join(PROGRAMS, 'send.js'));

/** Each writes NAME/main.EXTENSION; whatever it prints is a warning. */
const bundlers: readonly (readonly [name: string, extension: 'cjs' | 'mjs', script: string])[] = [
  [
    'esbuild as CommonJS, its default for Node',
    'cjs',
    `import { build } from 'esbuild';
     const { warnings } = await build({ entryPoints: [${SOURCE}], bundle: true, platform: 'node', outfile, logLevel: 'silent' });
     for (const { text } of warnings) console.log(text);`,
  ],
  [
    'esbuild as ES modules',
    'mjs',
    `import { build } from 'esbuild';
     const { warnings } = await build({ entryPoints: [${SOURCE}], bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'silent' });
     for (const { text } of warnings) console.log(text);`,
  ],
  [
    'webpack as CommonJS',
    'cjs',
    `import webpack from 'webpack';
     const output = { path: dirname(outfile), filename: 'main.cjs' };
     webpack({ context: process.cwd(), mode: 'production', target: 'node20', entry: ${SOURCE}, output }, (error, stats) => {
       if (error) throw error;
       if (stats.hasErrors() || stats.hasWarnings()) console.log(stats.toString('errors-warnings'));
     });`,
  ],
  [
    'webpack as ES modules',
    'mjs',
    `import webpack from 'webpack';
     const output = { path: dirname(outfile), filename: 'main.mjs', module: true, chunkFormat: 'module' };
     const experiments = { outputModule: true };
     webpack({ context: process.cwd(), mode: 'production', target: 'node20', entry: ${SOURCE}, output, experiments }, (error, stats) => {
       if (error) throw error;
       if (stats.hasErrors() || stats.hasWarnings()) console.log(stats.toString('errors-warnings'));
     });`,
  ],
  [
    'Rspack',
    'cjs',
    `import { rspack } from '@rspack/core';
     const output = { path: dirname(outfile), filename: 'main.cjs' };
     rspack({ context: process.cwd(), mode: 'production', target: 'node20', entry: ${SOURCE}, output }, (error, stats) => {
       if (error) throw error;
       if (stats.hasErrors() || stats.hasWarnings()) console.log(stats.toString('errors-warnings'));
     });`,
  ],
  [
    'Rollup',
    'mjs',
    `import { rollup } from 'rollup';
     import resolve from '@rollup/plugin-node-resolve';
     const bundle = await rollup({
       input: ${SOURCE}, plugins: [resolve({ preferBuiltins: true, exportConditions: ['node'] })], external: [/^node:/],
       onwarn: ({ message }) => console.log(message),
     });
     await bundle.write({ dir: dirname(outfile), format: 'es', entryFileNames: 'main.mjs', chunkFileNames: '[name]-[hash].mjs' });`,
  ],
  [
    'vite --ssr with noExternal',
    'mjs',
    `import { build } from 'vite';
     const output = { entryFileNames: 'main.mjs', chunkFileNames: '[name]-[hash].mjs' };
     await build({
       logLevel: 'warn', configFile: false, root: process.cwd(), ssr: { noExternal: true },
       build: { ssr: ${SOURCE}, outDir: dirname(outfile), target: 'node20', rollupOptions: { output } },
     });`,
  ],
  [
    'tsup with everything bundled',
    'cjs',
    `import { build } from 'tsup';
     await build({ entry: { main: ${SOURCE} }, outDir: dirname(outfile), format: 'cjs', noExternal: [/.*/], silent: true, config: false, outExtension: () => ({ js: '.cjs' }) });`,
  ],
];

describe.each(bundlers)('%s', (name, extension, script) => {
  const place = name.replaceAll(/\W+/g, '-');

  test('builds without a warning, and the bundle sends', async () => {
    const outfile = join(folder, place, `main.${extension}`);
    mkdirSync(join(folder, place));
    const builder = join(folder, `${place}.mjs`);
    writeFileSync(
      builder,
      `import { dirname } from 'node:path';\nconst outfile = ${JSON.stringify(outfile)};\n${script}`,
    );
    expect(await runProgram(process.execPath, [builder])).toEqual({ code: 0, output: '', errors: '' });

    received = 0;
    const bundle = await runProgram(process.execPath, [outfile], { env: environment() });
    expect(bundle).toMatchObject({ code: 0 });
    const { blocking, mailbox, ...others } = JSON.parse(bundle.output);
    expect(others).toEqual({
      smtp: 'sent',
      byName: 'sent',
      console: 'sent',
      printed: true,
      ses: expect.stringMatching(/^(?:missing-dependency|invalid-credentials): /), // the SDK may be above this folder
    });
    // What needs files of the package works where they can still be found, or says what to set.
    for (const text of [blocking, mailbox])
      expect(text).toMatch(/^(?:sent|load-failed: .*external: \['amsdal-mail'\].*)$/);
    expect(received).toBe(blocking === 'sent' ? 3 : 2);
  });
});

function environment(): Readonly<Record<string, string>> {
  const port = String(server.port);
  return {
    SMTP_PORT: port,
    AMSDAL_EMAIL_BACKEND: 'smtp',
    AMSDAL_EMAIL_HOST: '127.0.0.1',
    AMSDAL_EMAIL_PORT: port,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

describe('what is not used', () => {
  /** The text of the entry and of what it imports statically, and that of what it loads later. */
  async function split(program: string): Promise<{ readonly now: string; readonly later: string }> {
    const out = mkdtempSync(join(folder, 'split-'));
    const args = [
      '--bundle',
      '--splitting',
      '--format=esm',
      '--platform=node',
      `--outdir=${out}`,
      '--out-extension:.js=.mjs',
    ];
    const { code, errors } = await runProgram(tool('.bin/esbuild'), [
      join(PROGRAMS, program),
      ...args,
      '--log-level=error',
    ]);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const read = (name: string) => readFileSync(join(out, name), 'utf8');
    const now = new Set([program.replace('.js', '.mjs')]);
    for (const name of now) for (const [, next = ''] of read(name).matchAll(/from "\.\/([^"]+)"/g)) now.add(next);
    const later = readdirSync(out).filter((name) => !now.has(name));
    return { now: [...now].map(read).join('\n'), later: later.map(read).join('\n') };
  }
  const SMTP = /RCPT TO:|class SmtpBackend|class Wire/;

  test('a bundle that imports only amsdal-mail/console contains no SMTP', async () => {
    const { now, later } = await split('console.js');
    expect(now).toMatch(/ConsoleBackend/);
    expect(now + later).not.toMatch(SMTP);
  });

  test('one that calls sendMail loads the code of SMTP only when it is used', async () => {
    const { now, later } = await split('send.js');
    expect(now).not.toMatch(/RCPT TO:|class Wire/);
    expect(later).toMatch(/RCPT TO:/);
  });

  test('one that calls sendMail holds no page, API and receiver of a mailbox, whose files it would lack', async () => {
    const { now, later } = await split('send.js');
    const classes = [...(now + later).matchAll(/\bclass (\w+)|\b(\w+) = class\b/g)].map(([, a, b]) => a ?? b);
    const server = ['SharedMailbox', 'MailboxServer', 'Previews', 'WebServer', 'SmtpServer'];
    expect(server.filter((name) => classes.includes(name))).toEqual(['SharedMailbox']);
  });
});
