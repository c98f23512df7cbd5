import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as builtIn from '../../src/connection/built-in.ts';
import type { Carries, HttpFeature } from '../../src/http/provider.ts';
import { ROOT } from './code-blocks.ts';

const PROVIDERS: ReadonlyMap<string, Carries> = new Map(
  Object.entries(builtIn).flatMap(([name, backend]) =>
    'carries' in backend ? [[name, backend.carries] as const] : [],
  ),
);
const NAMES = [...PROVIDERS.keys()].toSorted();
/** The features, in the order in which they are told, and what they are called there. */
const TOLD: Readonly<Record<HttpFeature, string>> = {
  tags: '`tags`',
  metadata: '`metadata`',
  trackOpens: '`trackOpens`',
  trackClicks: '`trackClicks`',
  priority: '`priority`',
  idempotencyKey: '`idempotencyKey`',
  sendAt: '`sendAt`',
  templateId: '`templateId`',
  mergeGlobalData: '`mergeGlobalData`',
  mergeData: '`mergeData`',
  inlineAttachments: 'images in the text',
  alternatives: '`alternatives`',
  severalReplyTo: 'several in `replyTo`',
  envelopeSender: '`envelopeSender`',
  nonAsciiLocalPart: 'local parts beyond ASCII',
  dsn: '`dsn`',
  requireTls: '`requireTls`',
};

function table(names: readonly string[]): string {
  const head = names.length === 1 ? ['', ''] : ['', ...names.map((name) => `\`${name}\``)];
  const rows = (Object.keys(TOLD) as HttpFeature[]).map((feature) => [
    TOLD[feature],
    ...names.map((name) => (PROVIDERS.get(name)?.[feature] ? 'yes' : '-')),
  ]);
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
    .replaceAll('|  |', '| |');
}

test.each(['docs/providers.md', ...NAMES.map((name) => `docs/${name}.md`)])(
  '%s says what is carried (npx vitest run test/docs/providers.test.ts -u writes it)',
  async (page) => {
    const path = join(ROOT, page);
    const text = readFileSync(path, 'utf8');
    const written = text.replace(
      /<!-- carries ([\w-]+) -->[\s\S]*?<!-- \/carries -->/,
      (_, name: string) => `<!-- carries ${name} -->\n${table(name === 'all' ? NAMES : [name])}\n<!-- /carries -->`,
    );
    await expect(written).toMatchFileSnapshot(path);
  },
);
