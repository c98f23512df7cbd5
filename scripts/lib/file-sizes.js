// @ts-check
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The most lines of a file of code. */
export const MAX_LINES = 400;

/** What else people read and change, with the most lines a file may have; what is vendored and fixtures are left out. */
const SIZES = /** @type {const} */ ([
  ['scripts', /\.(?:js|ts|sh)$/, MAX_LINES],
  ['test', /^(?!fixtures\/|.*\bnode_modules\/).*\.(?:js|ts|py)$/, MAX_LINES],
  ['src/mailbox/page', /^(?!vendor\/).*\.js$/, MAX_LINES],
  ['src/mailbox/page', /^(?!vendor\/).*\.css$/, 900],
  ['src/outbox/page', /\.js$/, MAX_LINES],
  ['src/outbox/page', /\.css$/, 900],
]);

/**
 * The files of scripts, tests and the mailbox's page that are too long, below the root of the repository.
 *
 * @param {string} root
 * @returns {{ path: string, line: number, rule: string, message: string }[]}
 */
export function checkSizes(root) {
  return SIZES.flatMap(([folder, pattern, most]) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => pattern.test(name))
      .sort()
      .flatMap((name) => {
        const lines = readFileSync(join(root, folder, name), 'utf8')
          .replace(/\n$/, '')
          .split('\n').length;
        const message = `${lines} lines: split it, a file of over ${most} lines does more than one thing`;
        return lines > most ? [{ path: `${folder}/${name}`, line: most, rule: 'size', message }] : [];
      }),
  );
}
