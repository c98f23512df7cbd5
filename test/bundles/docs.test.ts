import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { programs, ROOT } from '../docs/code-blocks.ts';
import { type FakeSes, startFakeSes } from '../docs/fake-ses.ts';
import { freePorts, until } from '../servers/process.ts';
import { type Ended, HERE, installPacked, PROGRAMS, QUIET, runProgram, tool } from './packed.ts';

// What docs/frameworks.md shows, bundled and called as its frameworks would; a page of Next.js is next.test.ts's matter.

const PAGE = readFileSync(join(ROOT, 'docs/frameworks.md'), 'utf8');

let server: SmtpServer;
let ses: FakeSes;
let folder = '';
let mails: string[] = [];
beforeAll(async () => {
  await installPacked();
  mkdirSync(join(HERE, '.work'), { recursive: true });
  folder = mkdtempSync(join(HERE, '.work/docs-'));
  for (const { file, text, kind } of programs('docs/frameworks.md')) if (kind === 'file') write(file, text);
  write(
    'h3.js',
    'export const defineEventHandler = (handler) => handler; export const readBody = (event) => event.body;',
  );
  server = await SmtpServer.start({
    tls: 'generate',
    onMessage: ({ bytes }) => {
      mails.push(Buffer.from(bytes).toString());
      return undefined;
    },
  });
  ses = await startFakeSes();
});
afterAll(async () => {
  await Promise.all([server.close(), ses[Symbol.asyncDispose]()]);
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  mails = [];
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Bundles a file of the page, without a warning. */
async function bundle(file: string, outfile: string, ...args: readonly string[]): Promise<void> {
  const all = [
    file,
    '--bundle',
    '--platform=node',
    `--outfile=${outfile}`,
    '--alias:h3=./h3.js',
    '--log-level=warning',
  ];
  expect(await runProgram(tool('.bin/esbuild'), [...all, ...args], { cwd: folder })).toEqual(QUIETLY);
}

const QUIETLY: Ended = { code: 0, output: '', errors: '' };

/** What a visitor sends, as JSON and as a form, and how the answer is printed. */
const VISITOR = `
const contact = { email: 'ann@example.org', text: 'How much is it?' };
const json = new Request('http://localhost/contact', { method: 'POST', body: JSON.stringify(contact) });
const form = new Request('http://localhost/contact', { method: 'POST', body: new URLSearchParams(contact) });
const print = async (answer) => console.log(JSON.stringify(answer instanceof Response ? await answer.json() : answer));
`;

/** Runs a program to its end in the folder, and expects it to print nothing but this, and to have sent what the visitor typed. */
async function expectSent(program: string, answer: object, env: Readonly<Record<string, string>>): Promise<void> {
  write('call.mjs', VISITOR + program);
  const ended = await runProgram(process.execPath, ['call.mjs'], { cwd: folder, env });
  expect(ended).toEqual({ code: 0, output: `${JSON.stringify(answer)}\n`, errors: '' });
  expectQuestion();
}

function expectQuestion(): void {
  expect(mails).toEqual([expect.stringMatching(/^Reply-To: ann@example\.org\r\n.*How much is it\?/ms)]);
}

const url = (): string => `smtp://127.0.0.1:${server.port}?useTls=false`;

test.each([
  ['server/api/contact.post.ts', 'print(await module.default({ body: contact }))'],
  ['src/routes/contact/+server.ts', 'print(await module.POST({ request: json }))'],
  ['src/pages/contact.ts', 'print(await module.POST({ request: form }))'],
  ['app/routes/contact.ts', 'print(await module.action({ request: form }))'],
  ['server.ts', 'print(await module.default.fetch(json))'],
  ['src/index.ts', 'print(await module.default.fetch(json))'],
])('%s sends what a visitor typed', async (file, call) => {
  await bundle(file, 'bundle.mjs', '--format=esm');
  const program = `const module = await import('./bundle.mjs');\n${call};`;
  await expectSent(program, { sent: true }, { AMSDAL_EMAIL_URL: url() });
});

test('src/hooks.server.ts lets a route that is bundled by itself see .env', async () => {
  await bundle('src/hooks.server.ts', 'hooks.mjs', '--format=esm');
  await bundle('src/routes/contact/+server.ts', 'route.mjs', '--format=esm');
  write('.env', `AMSDAL_EMAIL_URL=${url()}\n`);
  const program = `await import('./hooks.mjs');
const module = await import('./route.mjs');
print(await module.POST({ request: json }));`;
  await expectSent(program, { sent: true }, {});
});

test('app.module.ts is a Nest application in CommonJS that sends', async () => {
  const decorators = '--tsconfig-raw={"compilerOptions":{"experimentalDecorators":true}}';
  await bundle('app.module.ts', 'app.module.cjs', '--format=cjs', '--packages=external', decorators);
  const program = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
require('reflect-metadata');
const { NestFactory } = require('@nestjs/core');
const app = await NestFactory.create(require('./app.module.cjs').AppModule, { logger: ['error', 'warn'] });
await app.listen(0, '127.0.0.1');
const headers = { 'content-type': 'application/json' };
print(await fetch((await app.getUrl()) + '/contact', { method: 'POST', headers, body: JSON.stringify(contact) }));
await app.close();`;
  await expectSent(program, { sent: true }, { AMSDAL_EMAIL_URL: url() });
});

describe('server.ts', () => {
  test.each([
    ['bun', '@oven/bun-linux-x64/bin/bun', []],
    ['deno', '@deno/linux-x64-glibc/deno', ['--host=127.0.0.1', '--no-lock']],
  ] as const)('is a server that sends, started as the page says: %s', async (name, program, more) => {
    const [command = ''] = new RegExp(`^${name} .*$`, 'm').exec(PAGE) ?? [];
    const [port = 0] = await freePorts(1);
    const [, ...args] = command.split(' ');
    const last = args.pop() ?? '';
    const flags = name === 'deno' ? [...more, `--port=${port}`] : more;
    const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...QUIET, PORT: String(port) };
    const child = spawn(tool(program), [...args, ...flags, last], {
      cwd: folder,
      env: { ...env, AMSDAL_EMAIL_URL: url() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = outputOf(child);
    try {
      const address = `http://127.0.0.1:${port}/`;
      const answers = (): Promise<boolean> => fetch(address).then(Boolean, () => false); // an error of ours is an answer
      await until(answers, () => `${command} does not answer: ${log()}`);
      const body = JSON.stringify({ email: 'ann@example.org', text: 'How much is it?' });
      const response = await fetch(address, { method: 'POST', body });
      const answer = await response.text();
      expect([answer, log()]).toEqual(['{"sent":true}', log()]);
    } finally {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    expectQuestion();
  });
});

function outputOf(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  return () => output;
}

test('contact.ts, bundled as the page says, sends in a place like Lambda, alone', async () => {
  const [, command = ''] = /^npx esbuild (.*)$/m.exec(PAGE) ?? [];
  const built = await runProgram(tool('.bin/esbuild'), [...command.split(' '), '--log-level=warning'], { cwd: folder });
  expect(built).toEqual(QUIETLY);
  const place = mkdtempSync(join(tmpdir(), 'lambda-'));
  try {
    copyFileSync(join(folder, 'dist/contact.js'), join(place, 'contact.js'));
    writeFileSync(join(place, 'certificate.pem'), server.certificate ?? '');
    const call = `require('./contact.js').handler({ email: 'ann@example.org', text: 'Hello' })
      .then((answer) => console.log(JSON.stringify(answer)));`;
    writeFileSync(join(place, 'runtime.js'), call);
    const redirect = ['--import', join(ROOT, 'test/docs/redirect.js')];
    const ended = await runProgram(process.execPath, [...redirect, 'runtime.js'], {
      cwd: place,
      env: {
        NODE_EXTRA_CA_CERTS: join(place, 'certificate.pem'),
        RECEIVER_PORTS: JSON.stringify({ 443: ses.port }),
        AWS_REGION: 'eu-west-1',
        AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'secret',
      },
    });
    expect(ended).toEqual({ code: 0, output: '{"messageId":"0100018c-example"}\n', errors: '' });
  } finally {
    rmSync(place, { recursive: true });
  }
});

describe('left out of the bundle as the page says, blocking calls and the mailbox work', () => {
  const optionFor = (name: string): string => new RegExp(`^\\| ${name}.* \\| \`(.*)\` \\|$`, 'm').exec(PAGE)?.[1] ?? '';
  const entry = JSON.stringify(join(PROGRAMS, 'send.js'));
  test.each([
    [
      'esbuild',
      `import { build } from 'esbuild';
       await build({ entryPoints: [${entry}], bundle: true, platform: 'node', outfile: 'out/main.cjs', ${optionFor('esbuild')} });`,
    ],
    [
      'webpack',
      `import webpack from 'webpack';
       const output = { path: process.cwd() + '/out', filename: 'main.cjs' };
       webpack({ mode: 'production', target: 'node20', entry: ${entry}, output, ${optionFor('webpack')} }, (error, stats) => {
         if (error || stats.hasErrors()) throw error ?? stats.toString('errors-warnings');
       });`,
    ],
  ])('%s', async (_, script) => {
    write('builder.mjs', script);
    expect(await runProgram(process.execPath, ['builder.mjs'], { cwd: folder })).toEqual(QUIETLY);
    const env = { SMTP_PORT: String(server.port), AMSDAL_EMAIL_URL: url(), AWS_EC2_METADATA_DISABLED: 'true' };
    const ended = await runProgram(process.execPath, ['out/main.cjs'], { cwd: folder, env });
    expect(ended).toMatchObject({ code: 0 });
    expect(JSON.parse(ended.output)).toMatchObject({ smtp: 'sent', blocking: 'sent', mailbox: 'sent' });
  });
});
