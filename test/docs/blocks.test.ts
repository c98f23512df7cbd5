import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { pages, programs, ROOT } from './code-blocks.ts';
import { type FakeSes, startFakeSes } from './fake-ses.ts';

/** How many blocks are only type-checked (`no-run`); the number may fall. */
const NOT_RUN = 0;

const run = promisify(execFile);
const all = pages().flatMap(programs);
let folder = '';
let starttls: SmtpServer;
let implicit: SmtpServer;
let ses: FakeSes;
let typeErrors = '';

beforeAll(async () => {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  folder = mkdtempSync(join(ROOT, '.cache/docs-')); // inside the package, where it can import itself by name
  for (const { folder: page, file, text } of all) write(join(page, file), text);
  const nest = { experimentalDecorators: true, erasableSyntaxOnly: false };
  const compilerOptions = { noEmit: false, rootDir: '.', outDir: 'out', noUnusedLocals: false, ...nest };
  const include = ['*/**/*', '../../test/docs/frameworks.d.ts'];
  write('tsconfig.json', JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include }));
  const compiled = run(join(ROOT, 'node_modules/.bin/tsc'), [], { cwd: folder });
  typeErrors = await compiled.then(() => '').catch((error: { readonly stdout: string }) => error.stdout);
  for (const page of new Set(all.map((program) => program.folder))) {
    cpSync(join(ROOT, 'test/docs/files'), join(folder, 'out', page), { recursive: true });
  }

  // Any password will do, which a server can prove to know by none of the SCRAM mechanisms.
  const authMechanisms = ['PLAIN', 'XOAUTH2'] as const;
  const hooks = { onAuth: () => true, onRcpt, authMechanisms };
  starttls = await SmtpServer.start({ ...hooks, tls: 'generate' });
  implicit = await SmtpServer.start({ ...hooks, tls: 'generate', implicitTls: true });
  ses = await startFakeSes();
  write('certificate.pem', starttls.certificate ?? '');
});

afterAll(async () => {
  await Promise.all([starttls.close(), implicit.close(), ses[Symbol.asyncDispose]()]);
  rmSync(folder, { recursive: true });
});

test('every block of the pages type-checks, as a reader sees the types', () => {
  expect(typeErrors).toBe('');
});

test('hardly a block is only type-checked', () => {
  const count = all.filter(({ kind }) => kind === 'no-run').length;
  console.log(`${all.length} blocks of documentation, ${count} of them not run`);
  expect(count).toBe(NOT_RUN);
});

describe.concurrent('each block runs against the local receiver and prints what it says', () => {
  test.for(all.filter(({ kind }) => kind === 'run'))('$place', async (program) => {
    const { stdout } = await run(process.execPath, ['--import', REDIRECT, program.file.replace(/\.ts$/, '.js')], {
      cwd: join(folder, 'out', program.folder),
      env: {
        ...(process.env['NODE_V8_COVERAGE'] ? { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] } : {}),
        NODE_EXTRA_CA_CERTS: join(folder, 'certificate.pem'),
        RECEIVER_PORTS: JSON.stringify({ 25: starttls.port, 587: starttls.port, 465: implicit.port, 443: ses.port }),
        AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'secret',
        SMTP_USER: 'user',
        SMTP_PASSWORD: 'password',
      },
      timeout: 60_000,
    });
    let rest = stdout.split('\n');
    for (const line of program.output) {
      expect(rest, `it prints "${line}"`).toContain(line);
      rest = rest.slice(rest.indexOf(line) + 1);
    }
  });
});

const REDIRECT = join(ROOT, 'test/docs/redirect.js');

/** Addresses with these names are refused, as the pages need it. */
function onRcpt(address: string): string | undefined {
  if (address.startsWith('nobody@')) return '550 5.1.1 No such user';
  if (address.startsWith('full@')) return '452 4.2.2 Mailbox full';
  return undefined;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
