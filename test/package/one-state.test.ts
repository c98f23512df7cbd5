import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../docs/code-blocks.ts';

// A program may load the package as ES modules and as CommonJS, or have two copies of it: it is one program all the same.

const run = promisify(execFile);
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'copies-'));
  for (const copy of ['first', 'second']) {
    cpSync(join(ROOT, 'dist'), join(folder, copy, 'dist'), { recursive: true });
    writeFileSync(join(folder, copy, 'package.json'), '{ "type": "module" }');
  }
  const installed = join(folder, 'app/node_modules/amsdal-mail');
  mkdirSync(installed, { recursive: true });
  for (const path of ['dist', 'package.json']) cpSync(join(ROOT, path), join(installed, path), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

const PRELUDE = `
  import { createRequire } from 'node:module';
  const require = createRequire(import.meta.url);
  const mail = { subject: 'Hello', body: 'x', fromEmail: 'a@example.com', to: 'b@example.org' };
  const call = { subject: 'Hello', message: 'x', fromEmail: 'a@example.com', recipientList: ['b@example.org'] };
  const tell = (value) => console.log(JSON.stringify(value));
`;

/** What a program tells when `one` is the first copy's ES module, and `other` the module named. */
async function told(other: string, text: string): Promise<unknown> {
  const load = other.includes('/cjs/') ? `require('${other}')` : `await import('${other}')`;
  const program = `${PRELUDE}
    const one = await import('./first/dist/index.js');
    const other = ${load};
    ${text}`;
  const file = join(folder, 'program.mjs');
  writeFileSync(file, program);
  const env = { PATH: process.env['PATH'] };
  const { stdout, stderr } = await run(process.execPath, [file], { cwd: folder, env, timeout: 30_000 });
  return { ...JSON.parse(stdout), ...(stderr && { stderr }) };
}

describe.each([
  ['its CommonJS', './first/dist/cjs/index.js'],
  ["another copy's ES modules", './second/dist/index.js'],
  ["another copy's CommonJS", './second/dist/cjs/index.js'],
])('set through the ES modules, seen through %s', (_, other) => {
  const cases: readonly (readonly [string, string, unknown])[] = [
    [
      'the default connection',
      `const dummy = new one.DummyBackend({ store: true });
       one.setDefaultConnection(dummy);
       await other.sendMail(call);
       tell({ stored: dummy.messages.length, same: other.defaultConnection() === dummy });`,
      { stored: 1, same: true },
    ],
    [
      'the shared connection of the environment',
      `tell({ same: one.defaultConnection() === other.defaultConnection() });`,
      { same: true },
    ],
    [
      'named connections',
      `one.defineConnections({ news: 'dummy' });
       tell({ name: other.getConnection('@news').name });`,
      { name: 'dummy' },
    ],
    [
      'registered backends',
      `one.registerBackend('mine', class Mine extends one.EmailBackend { name = 'mine'; features = new Set(); async *deliver() {} });
       tell({ name: other.getConnection('mine').name });`,
      { name: 'mine' },
    ],
    [
      'listeners',
      `const seen = [];
       one.BeforeSend.subscribe((context, next) => {
         seen.push('before');
         return next({ ...context, message: context.message.with({ subject: 'Changed' }) });
       });
       one.AfterSend.subscribe((context, next) => {
         seen.push(context.message.subject);
         return next(context);
       });
       await other.getConnection('dummy').sendMessages([mail]);
       tell({ seen });`,
      { seen: ['before', 'Changed'] },
    ],
    [
      'the staging guard, once for each mail',
      `process.env.AMSDAL_EMAIL_REDIRECT_TO = 'staging@example.net';
       const dummy = new one.DummyBackend({ store: true });
       one.setDefaultConnection(dummy);
       await other.sendMail(call);
       await other.sendMail({ ...call, connection: dummy });
       tell({ to: dummy.messages.map(({ to }) => to), once: dummy.messages.map(({ subject }) => subject.split('Hello').length) });`,
      { to: [['staging@example.net'], ['staging@example.net']], once: [2, 2] },
    ],
    [
      'that what goes past the staging guard is refused, from when on it may',
      `process.env.AMSDAL_EMAIL_REDIRECT_TO = 'staging@example.net';
       let past = 0;
       const way = async () => { past++; };
       class Field extends one.DummyBackend { sendMessages = way; }
       class Patched extends one.DummyBackend {}
       const connections = [new Field(), new Patched(), new one.DummyBackend()];
       Patched.prototype.sendMessages = way;
       connections[2].sendMessages = way;
       const codes = await Promise.all(connections.map((connection) => other.sendMail({ ...call, connection }).catch(({ code }) => code)));
       tell({ past, codes });`,
      { past: 0, codes: ['invalid-backend', 'invalid-backend', 'invalid-backend'] },
    ],
  ];
  test.each(cases)('%s', async (_name, text, expected) => {
    expect(await told(other, text)).toEqual(expected);
  });
});

test('a copy beside a state of another shape keeps its own, and the process is warned once', async () => {
  const program = `${PRELUDE}
    globalThis[Symbol.for('amsdal-mail')] = { shape: 0, parts: new Map() };
    const one = await import('./first/dist/index.js');
    one.setDefaultConnection(one.getConnection('dummy'));
    const { isSuccess } = await one.sendMail(call);
    tell({ isSuccess });`;
  writeFileSync(join(folder, 'shape.mjs'), program);
  const { stdout, stderr } = await run(process.execPath, [join(folder, 'shape.mjs')], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual({ isSuccess: true });
  expect(stderr.match(/AMSDAL_MAIL_COPIES.*/g)).toEqual([
    expect.stringContaining('two versions of amsdal-mail are loaded'),
  ]);
});

describe('required and imported by its name, from a CommonJS file without a package.json', () => {
  /** What a program tells that has `required` and `imported`, both of `amsdal-mail`. */
  async function toldByName(text: string): Promise<unknown> {
    const program = `
      const required = require('amsdal-mail');
      const tell = (value) => console.log(JSON.stringify(value));
      async function main() {
        const imported = await import('amsdal-mail');
        ${text}
      }
      main();`;
    writeFileSync(join(folder, 'app/program.cjs'), program);
    const { stdout, stderr } = await run(process.execPath, ['program.cjs'], { cwd: join(folder, 'app') });
    return { ...JSON.parse(stdout), ...(stderr && { stderr }) };
  }

  test('it is one module, loaded once', async () => {
    expect(
      await toldByName(`
        tell({
          same: Object.keys(imported).every((name) => required[name] === imported[name]),
          loaded: Object.keys(require.cache).filter((path) => path.includes('amsdal-mail')),
        });`),
    ).toEqual({ same: true, loaded: [expect.stringMatching(/dist\/index\.js$/)] });
  });

  test('so is every other entry point that needs no peer', async () => {
    expect(
      await toldByName(`
        const differ = [];
        for (const name of ['mime', 'console', 'dummy', 'file', 'smtp', 'ses', 'app', 'redirect', 'mailbox', 'testing', 'express', 'nest']) {
          const [one, other] = [require('amsdal-mail/' + name), await import('amsdal-mail/' + name)];
          if (Object.keys(other).some((key) => one[key] !== other[key])) differ.push(name);
        }
        tell({ differ });`),
    ).toEqual({ differ: [] });
  });

  test('what one sets the other sees, errors are of one class, and a test inbox gets the mail of both', async () => {
    expect(
      await toldByName(`
        const { useInbox } = require('amsdal-mail/testing');
        const inbox = useInbox();
        const call = { subject: 'Hello', message: 'x', fromEmail: 'a@example.com', recipientList: ['b@example.org'] };
        await required.sendMail(call);
        await imported.sendMail(call);
        const error = await imported.sendMail({ ...call, recipientList: ['nobody'] }).catch((thrown) => thrown);
        tell({ sent: inbox.messages.length, ofBoth: error instanceof required.MessageError });`),
    ).toEqual({ sent: 2, ofBoth: true });
  });
});
