import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readModules } from '../../scripts/lib/modules.js';
import { ROOT } from '../docs/code-blocks.ts';

const MODULES = new Map(readModules(join(ROOT, 'src')).map((module) => [module.path, module]));

/** What importing a module loads at once. */
function loadedWith(path: string): readonly string[] {
  const found = new Set([path]);
  for (const name of found)
    for (const { kind, target } of MODULES.get(name)?.imports ?? []) if (kind === 'static' && target) found.add(target);
  return [...found];
}

test('the package loads what only a delivery needs with the first delivery', () => {
  const loaded = loadedWith('index.ts');
  expect(loaded).toContain('backends/resend.ts');
  expect(loaded.filter((path) => path.startsWith('http/')).toSorted()).toEqual([
    'http/http-backend.ts',
    'http/options.ts',
    'http/token-options.ts',
    'http/whole-mail.ts',
  ]);
  expect(loaded.filter((path) => /\/(?:provider|engine)\.ts$/.test(path))).toEqual([]);
});

test.each([
  'resend',
  'sendgrid',
  'postmark',
  'mailgun',
  'brevo',
  'cloudflare',
  'mandrill',
  'azure',
  'gmail-api',
  'microsoft-graph',
  'mailjet',
  'mailtrap',
  'mailersend',
  'sparkpost',
])('the engine of %s knows no other provider', (name) => {
  const others = loadedWith(`backends/${name}/provider.ts`).filter(
    (path) => path.startsWith('backends/') && !path.startsWith(`backends/${name}`),
  );
  expect(others).toEqual([]);
});
