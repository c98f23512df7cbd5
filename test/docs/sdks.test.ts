import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './code-blocks.ts';

const SDK = join(ROOT, 'test/sdk');
const { dependencies }: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(SDK, 'package.json'), 'utf8'),
);

function row(file: string): string {
  const imported = [...readFileSync(join(SDK, file), 'utf8').matchAll(/ from '([^.'][^']*)'/g)].map(([, name]) => name);
  const sdks = Object.entries(dependencies).filter(([name]) => imported.includes(name) && name !== 'form-data');
  const links = sdks.map(([name, version]) => `[${name}](https://www.npmjs.com/package/${name}) ${version}`);
  return `| \`${file.replace('.test.ts', '')}\` | ${links.join(', ')} |`;
}

test('docs/providers.md says which SDKs the requests are checked against (npx vitest run test/docs/sdks.test.ts -u writes it)', async () => {
  const path = join(ROOT, 'docs/providers.md');
  const files = readdirSync(SDK).filter((file) => file.endsWith('.test.ts'));
  const table = ['| | SDK |', '| --- | --- |', ...files.toSorted().map(row)].join('\n');
  const written = readFileSync(path, 'utf8').replace(
    /<!-- sdks -->[\s\S]*?<!-- \/sdks -->/,
    () => `<!-- sdks -->\n${table}\n<!-- /sdks -->`,
  );
  await expect(written).toMatchFileSnapshot(path);
});
