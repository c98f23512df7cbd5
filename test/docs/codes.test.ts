import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './code-blocks.ts';

const page = readFileSync(join(ROOT, 'docs/status-and-errors.md'), 'utf8');
const errors = readFileSync(join(ROOT, 'src/model/errors.ts'), 'utf8');
const status = readFileSync(join(ROOT, 'src/model/status.ts'), 'utf8');

/** The literals of a union type, as it is written. */
function literals(source: string, type: string): string[] {
  const union = new RegExp(`export type ${type} =([^;]*);`).exec(source)?.[1] ?? '';
  return [...union.matchAll(/'([^']+)'/g)].map(([, literal = '']) => literal);
}

/** The codes of the tables between a heading and the next one. */
function documented(heading: string): string[] {
  const section = page.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, code = '']) => code);
}

test.each([
  [
    'What a status says',
    literals(status, 'DeliveryStatus'),
    ['is', 'has', 'recip', 'results', 'messageId', 'error', 'esp', 'toJSON'],
  ],
  ['ConfigurationError', literals(errors, 'ConfigurationErrorCode'), []],
  ['MessageError', [...literals(errors, 'MessageErrorCode'), ...literals(errors, 'MessageIssueCode')], []],
  ['EmailConnectionError', literals(errors, 'ConnectionErrorCode'), []],
  ['SendError', literals(errors, 'SendErrorCode'), []],
])('docs/status-and-errors.md tells cause and fix of every code: %s', (heading, codes, properties) => {
  const listed = documented(heading).filter((code) => !properties.some((start) => code.startsWith(start)));
  expect(codes).not.toEqual([]);
  expect(listed).toEqual(codes);
});
