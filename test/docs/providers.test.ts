import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Part } from '../../src/backend/part.ts';
import { backendNames, findBackend } from '../../src/connection/registry.ts';
import type { HttpBackend } from '../../src/http/http-backend.ts';
import type { Carries, HttpFeature, Provider } from '../../src/http/provider.ts';
import type { AnyOptionTable } from '../../src/options/option-table.ts';
import { ROOT } from './code-blocks.ts';

const PROVIDERS: ReadonlyMap<string, Carries> = new Map(
  backendNames().flatMap((name) => {
    const backend = findBackend(name);
    // Of a class that declares it.
    return typeof backend === 'function' && 'carries' in backend ? [[name, backend.carries as Carries] as const] : [];
  }),
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

/** What the class of a provider declares, and what it loads. */
interface Declared {
  readonly optionTable: AnyOptionTable;
  readonly required: readonly (string | readonly string[])[];
  readonly smtpPreset: string | null;
  new (options: object): HttpBackend & { load(options: object): Promise<Provider> };
}

function livesFor(ms: number): string {
  return ms < 3_600_000 ? `for ${ms / 60_000} min` : `for ${ms / 3_600_000} h`;
}

/** One line for each provider, of what its code declares. */
async function overview(): Promise<string> {
  const rows = [
    ['', 'Regions', 'Idempotency keys', 'Messages in one request', 'Over SMTP', 'Variables'],
    ['---', '---', '---', '---', '---', '---'],
  ];
  for (const name of NAMES) {
    const backend = findBackend(name) as unknown as Declared; // it has carries
    const { optionTable, required, smtpPreset } = backend;
    const variables = Object.entries(optionTable).flatMap(([option, { variable }]) =>
      [variable ?? []].flat().map((each) => ({ option, ...each })),
    );
    const needed = variables.filter(({ option }) => required.flat().includes(option));
    const options = Object.fromEntries(
      needed.map(({ option, example }) => [option, example.replaceAll(/^'|'$/g, '')]), // the quotes are the shell's
    );
    const made = new backend(options);
    const { batch } = await made.load(options);
    const { idempotencyMs } = new Part(made);
    const { region } = optionTable;
    rows.push([
      `[\`${name}\`](${name}.md)`,
      region?.type === 'enum' ? region.values.map((value) => `\`${value}\``).join(', ') : '-',
      idempotencyMs === null ? '-' : livesFor(idempotencyMs),
      batch === undefined ? '1' : `up to ${batch.max}`,
      smtpPreset === null ? '-' : `\`${smtpPreset}\``,
      variables
        .filter((variable) => !variable.name.startsWith('AMSDAL_')) // those of every backend
        .map((variable) => `\`${variable.name}\``)
        .join(', '),
    ]);
  }
  return rows
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
    .replaceAll('|  |', '| |');
}

test('docs/providers.md compares providers (npx vitest run test/docs/providers.test.ts -u writes it)', async () => {
  const path = join(ROOT, 'docs/providers.md');
  const table = await overview();
  const written = readFileSync(path, 'utf8').replace(
    /<!-- which -->[\s\S]*?<!-- \/which -->/,
    () => `<!-- which -->\n${table}\n<!-- /which -->`,
  );
  await expect(written).toMatchFileSnapshot(path);
});

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
