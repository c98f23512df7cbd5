import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../docs/code-blocks.ts';

// Where a package that only some calls need may come from: what is in the working directory may be anybody's.

let folder = '';
const at = (...path: string[]): string => join(folder, ...path);

/** Puts a package there that is no html-to-text, and says where it came from. */
function plant(place: string): void {
  const home = at(place, 'node_modules/html-to-text');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'index.js'), `exports.convert = () => 'from ${place}';`);
}

const COMPOSE = `
  const draft = { subject: 'x', fromEmail: 'a@example.com', to: 'b@example.org', htmlBody: '<b>x</b>', autoText: true };
  try {
    const mail = new TextDecoder().decode(composeMessage(new EmailMessage(draft)));
    console.log(/from \\w+/.exec(mail)?.[0]);
  } catch (error) {
    console.log(error.code);
  }`;
const program = (entry: string, mime: string): string =>
  `import { EmailMessage } from '${entry}'; import { composeMessage } from '${mime}'; ${COMPOSE}`;
const INSTALLED = program('amsdal-mail', 'amsdal-mail/mime');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'optional-'));
  const home = at('app/node_modules/amsdal-mail');
  cpSync(join(ROOT, 'dist'), join(home, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(home, 'package.json'));
  for (const place of ['anywhere', 'beside', 'lambda']) plant(place);
  writeFileSync(at('app/program.mjs'), INSTALLED);
  const linked = (name: string): string =>
    new URL(`app/node_modules/amsdal-mail/dist/${name}`, `file://${folder}/`).href;
  writeFileSync(at('beside/program.mjs'), program(linked('index.js'), linked('mime/index.js')));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(args: readonly string[], cwd: string, input = ''): Promise<string> {
  const child = spawn(process.execPath, args, { cwd, env: {}, timeout: 60_000 });
  child.stdin.end(input);
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return (output + errors).trim();
}

test('nothing is loaded from the working directory', async () => {
  expect(await run([at('app/program.mjs')], at('anywhere'))).toBe('missing-dependency');
});

test('of a package that is linked from elsewhere, the program has what it lacks', async () => {
  expect(await run([at('beside/program.mjs')], at('anywhere'))).toBe('from beside');
});

test.each(['-', 'word', '../anywhere/x'])(
  'an argument of a program from standard input is no place: %s',
  async (argument) => {
    expect(await run(['--input-type=module', '-', argument], at('app'), INSTALLED)).toBe('missing-dependency');
  },
);

test('a bundle without import.meta.url has what is above it, whoever starts it', async () => {
  const source = program(join(ROOT, 'src/index.ts'), join(ROOT, 'src/mime/index.ts'));
  writeFileSync(at('source.mjs'), source);
  const bundle = await rolldown({
    input: at('source.mjs'),
    platform: 'node',
    external: /^(?!\.|\/)/,
    transform: { define: { 'import.meta.url': 'undefined' } }, // what esbuild makes of it
    onLog: () => {},
  });
  await bundle.write({ file: at('lambda/main.cjs'), format: 'cjs', codeSplitting: false });
  await bundle.close();
  writeFileSync(at('start.cjs'), `require(${JSON.stringify(at('lambda/main.cjs'))});`);
  expect(await run([at('start.cjs')], at('anywhere'))).toBe('from lambda');
});
