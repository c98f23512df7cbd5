import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('the vendored preact is that of the package', () => {
  const page = readFileSync(new URL('../../src/mailbox/page/vendor/preact.js', import.meta.url), 'utf8');
  expect(page).toBe(readFileSync(new URL(import.meta.resolve('htm/preact/standalone')), 'utf8'));
});

test('the licences of what is vendored are beside it, and a list of components for scanners', () => {
  const read = (name: string): string =>
    readFileSync(new URL(`../../src/mailbox/page/vendor/${name}`, import.meta.url), 'utf8');
  const htm = (name: string): string =>
    readFileSync(new URL(`../../node_modules/htm/${name}`, import.meta.url), 'utf8');
  const { version } = JSON.parse(htm('package.json'));
  expect(read('LICENSE-htm')).toBe(htm('LICENSE'));
  const { components } = JSON.parse(read('vendor.cdx.json'));
  expect(components).toMatchObject([{ purl: `pkg:npm/htm@${version}` }, { purl: 'pkg:npm/preact@10.5.14' }]);
  for (const { name, version: vendored } of components) expect(read('LICENSE')).toContain(`${name} ${vendored}`);
});
