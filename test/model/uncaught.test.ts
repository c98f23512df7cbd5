import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';

/** The Node that runs the tests, and those that NODE_BINARIES names, parted by colons. */
const nodes = [process.execPath, ...(process.env['NODE_BINARIES'] ?? '').split(':').filter(Boolean)];
const built = new URL('../../dist/index.js', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-uncaught-'));
let server: ScriptedSmtpServer;

beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
  server.on('RCPT', () => '550 5.1.1 No such user');
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server[Symbol.asyncDispose]();
});

/** A program that does one thing to the connection, in a function of its own, and what it prints when that fails. */
async function run(
  node: string,
  line: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly lines: readonly string[]; readonly place: string }> {
  const before = [
    `import { getConnection, sendEach, sendMail, sendMailSync } from '${built}';`,
    "const mail = { subject: 'Welcome', fromEmail: 'shop@example.com' };",
    "const draft = { ...mail, body: 'Hello', to: 'nobody@example.org' };",
    "const init = { ...mail, message: 'Hello', recipientList: ['nobody@example.org'] };",
    `const connection = getConnection('smtp', { host: '127.0.0.1', port: ${server.port} });`,
    'async function signUp() {',
  ];
  const path = join(folder, 'sign-up.mjs');
  writeFileSync(path, [...before, line, '}', 'await signUp();'].join('\n'));
  const { code, stderr } = await new Promise<{ readonly code: unknown; readonly stderr: string }>((resolve) => {
    execFile(node, [path], { env: { PATH: process.env['PATH'], ...env } }, (error, _out, text) =>
      resolve({ code: error?.code, stderr: text }),
    );
  });
  expect({ code, stderr }).toMatchObject({ code: 1 });
  return { lines: stderr.trimEnd().split('\n'), place: `sign-up.mjs:${before.length + 1}:` };
}

describe.each(nodes)('an error that nobody catches, in %s', (node) => {
  const misspelt = { AMSDAL_EMAIL_BACKEND: 'smpt' };
  test.each([
    ['a misspelt backend', 'await sendMail(init);', 'ConfigurationError', misspelt],
    ['a misspelt backend, blocking', 'sendMailSync(init);', 'ConfigurationError', misspelt],
    ['a misspelt name', "getConnection('smpt');", 'ConfigurationError'],
    ['a misspelt option', "getConnection('smtp', { hots: 'x' });", 'ConfigurationError'],
    ['a wrong variable', 'getConnection();', 'ConfigurationError', { AMSDAL_EMAIL_URL: 'dummy://?store=perhaps' }],
    ['a named connection that is none', "await sendMail({ ...init, connection: '@none' });", 'ConfigurationError'],
    ['a wrong message', "await sendMail({ ...init, fromEmail: 'nobody', connection });", 'MessageError'],
    ['a refused mail', 'await sendMail({ ...init, connection });', 'SendError'],
    ['a refused mail, blocking', 'sendMailSync({ ...init, connection });', 'SendError'],
    ['refused mails to each', 'await sendEach({ ...init, connection });', 'SendError'],
    ['refused messages', 'await connection.sendMessages([draft, draft]);', 'SendError'],
    ['messages that are none', 'await connection.sendMessages(1);', 'MessageError'],
    ['one of several calls', 'await Promise.all([connection.sendMessages([draft])]);', 'SendError'],
    [
      'a stream from a source that throws',
      "for await (const _ of connection.stream((function* () { throw new Error('no rows'); })()));",
      'SendError',
    ],
    ['a server that is not there', "await getConnection('smtp://127.0.0.1:1').open();", 'EmailConnectionError'],
    ['a check that fails', "await getConnection('smtp://127.0.0.1:1').verify();", 'EmailConnectionError'],
  ])(
    '%s: at most 25 lines, the text once, the line of the caller among the first five of its stack',
    async (_what, line, name, env?: Readonly<Record<string, string>>) => {
      const { lines, place } = await run(node, line, env);
      const text = lines.findIndex((each) => each.startsWith(`${name}: `));
      expect(lines).toSatisfy(({ length }: readonly string[]) => length <= 25);
      expect(lines.filter((each) => each.includes(String(lines[text])))).toHaveLength(1);
      const stack = lines.slice(text).filter((each) => each.startsWith('    at '));
      expect(stack.slice(0, 5).join('\n')).toContain(place);
      const facts = lines.filter((each) => /^ {2}\S/.test(each)).map((each) => each.replace(/:.*/, '').trim());
      expect(facts.filter((fact) => fact !== '}' && fact !== '[cause]')).toEqual(['code']);
    },
    30_000,
  );
});

test('console.log shows the stack, and what there is to know in a few lines', async () => {
  const line =
    'await connection.sendMessages([draft]).catch((error) => { console.error(error); process.exitCode = 1; });';
  const { lines } = await run(process.execPath, line);
  expect(lines.length).toBeLessThan(20);
  expect(lines.join('\n')).toMatch(/^SendError: the server refused .*\n {4}at /);
  expect(lines.join('\n')).toContain("recipients: [ 'nobody@example.org: invalid 550 5.1.1' ]");
});
