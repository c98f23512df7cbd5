import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPublicApi } from '../../scripts/lib/public-api.js';

const entry = (name: string) => ({ import: { types: `./dist/${name}.d.ts` } });

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'api-'));
  mkdirSync(join(folder, 'dist'));
  const exports = { '.': entry('index'), './mime': entry('mime'), './package.json': './package.json' };
  write('package.json', JSON.stringify({ name: 'mail', exports }));
  write('dist/mime.d.ts', 'export {};');
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): void {
  writeFileSync(join(folder, path), text);
}

test('names are followed to where they are declared, and written without comments', () => {
  write('dist/index.d.ts', "export { send as sendMail } from './send.ts';\nexport type { A } from './send.ts';");
  write(
    'dist/send.d.ts',
    '/** Sends. */\nexport declare function send(/* what */ a: A): void;\n\n/** A. */\nexport type A = 1;',
  );
  const api = readPublicApi(folder);
  expect([...api.keys()]).toEqual(['mail', 'mail/mime']);
  expect(api.get('mail')?.map(({ name, file, text }) => [name, file, text])).toEqual([
    ['A', 'src/send.ts', 'export type A = 1;'],
    ['sendMail', 'src/send.ts', 'export declare function send( a: A): void;'],
  ]);
});

test('what lacks a docstring: a name, a method, a property; not a constructor, a second overload or a private member', () => {
  write(
    'dist/index.d.ts',
    `export interface Bare { a: 1 }
/** Told. */
export declare class Told {
  #private;
  private hidden;
  constructor(a: string);
  /** Told. */
  told(a: string): void;
  told(a: number): void;
  bare(): void;
  get alsoBare(): string;
}`,
  );
  expect(
    readPublicApi(folder)
      .get('mail')
      ?.flatMap(({ undocumented }) => undocumented),
  ).toEqual(['Bare', 'Bare.a', 'Told.bare', 'Told.alsoBare']);
});

test('the types a name mentions, its own parameters apart', () => {
  write('dist/index.d.ts', '/** F. */\nexport declare class F<T> extends G { /** A. */ a(b: B<T>): C; }');
  expect(
    readPublicApi(folder)
      .get('mail')
      ?.flatMap(({ references }) => references),
  ).toEqual(['G', 'B', 'C']);
});
