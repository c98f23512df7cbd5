import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

// Where what works: runtimes.test.ts tries it, and test/docs/support.test.ts holds the tables of docs/frameworks.md against it.

/** The trials of programs/trials.js, in their order, as the page calls them. */
const TRIALS = {
  console: '`console`: prints mails',
  compose: '`composeMessage`',
  lint: '`lint`',
  'partial refusal': 'SMTP: one recipient refused, the other `sent`',
  'lost answer': 'SMTP: a lost answer is `unknown`',
  'STARTTLS and login': 'SMTP: STARTTLS and a login',
  'implicit TLS and login': 'SMTP: TLS from the first byte and a login',
  '20 pooled': 'SMTP: 20 mails in one call',
  'a stream of 3 MB': 'SMTP: an attachment that is a stream',
  blocking: 'blocking calls (`sendMailSync`)',
  dummy: '`dummy`: keeps mails for tests',
  mailbox: '`mailbox`: shows mails in a page',
};

type Trial = keyof typeof TRIALS;

/** A runtime: how the page calls it, and why what cannot work there cannot. */
interface Runtime {
  readonly title: string;
  readonly cannot: Readonly<Partial<Record<Trial, string>>>;
}

const versions = installed('package.json');

const RUNTIMES = {
  Node: { title: `Node ${nodeVersions().join(', ')}`, cannot: {} },
  Bun: { title: `Bun ${versions['bun']}`, cannot: {} },
  Deno: { title: `Deno ${versions['deno']}`, cannot: {} },
  workerd: {
    title: 'Cloudflare Workers',
    cannot: { blocking: 'no: there are no threads', mailbox: 'no: nothing can listen' },
  },
} satisfies Readonly<Record<string, Runtime>>;

/** What each trial comes to in a runtime: true, or a ConfigurationError that names the runtime. */
export function expectedOutcomes(runtime: keyof typeof RUNTIMES): Readonly<Record<string, unknown>> {
  const { title, cannot }: Runtime = RUNTIMES[runtime];
  return Object.fromEntries(
    trialNames().map((trial) => [
      trial,
      cannot[trial] === undefined || expect.stringMatching(new RegExp(`^ConfigurationError [\\w-]+: .*${title}`)),
    ]),
  );
}

/** The table of the trials in the runtimes, as Markdown. */
export function runtimeTable(): string {
  const runtimes: readonly Runtime[] = Object.values(RUNTIMES);
  return table([
    ['', ...runtimes.map(({ title }) => title)],
    ...trialNames().map((trial) => [TRIALS[trial], ...runtimes.map(({ cannot }) => cannot[trial] ?? '✓')]),
  ]);
}

/** The table of the tools that bundle and compile the package in these tests, as Markdown. */
export function toolTable(): string {
  const next = ['15', '16'].map((version) => installed(`next-${version}/package.json`)['next']);
  return table([
    ['Tool', 'Tried with'],
    ...[
      ['esbuild', 'esbuild'],
      ['webpack', 'webpack'],
      ['Rspack', '@rspack/core'],
      ['Rollup', 'rollup'],
      ['Vite (`--ssr`)', 'vite'],
      ['tsup', 'tsup'],
    ].map(([title = '', name = '']) => [title, versions[name] ?? '']),
    ['Next.js, with webpack and with Turbopack', next.join(', ')],
    ['TypeScript', ['typescript-5.4', 'typescript', 'typescript-7'].map((name) => versions[name]).join(', ')],
  ]);
}

function trialNames(): Trial[] {
  return Object.keys(TRIALS) as Trial[]; // it has no other keys
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
    .replaceAll(/ --- /g, '---')
    .replaceAll('|  |', '| |');
}

/** The versions that a package.json of these tests names, without their last number: `npm:typescript@5.4.5` is 5.4. */
function installed(path: string): Readonly<Record<string, string>> {
  const { dependencies }: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(read(path));
  return Object.fromEntries(
    Object.entries(dependencies).map(([name, version]) => [name, /\d+(\.\d+)?(?=[.\d]*$)/.exec(version)?.[0] ?? '']),
  );
}

/** The oldest Node that the package allows, and the others that CI runs it under. */
function nodeVersions(): string[] {
  const oldest = /"node": ">=([\d.]+)"/.exec(read('../../package.json'))?.[1] ?? '';
  const others = /for version in ([\d ]+);/.exec(read('../../.ci/run'))?.[1] ?? '';
  return [oldest, ...others.split(' ')];
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}
