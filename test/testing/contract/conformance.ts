import { argv, env, exit, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import {
  backendContract,
  type ContractFactory,
  type ContractOptions,
} from '../../../src/testing/contract/backend-contract.ts';
import { nodemailerAdapter } from './nodemailer-adapter.ts';
import { dummySubject, fileSubject, inboxSubject, sesSubject, smtpSubject } from './subjects.ts';
import { upyoAdapter } from './upyo-adapter.ts';

/** What is judged. */
interface Candidate extends ContractOptions {
  readonly name: string;
  readonly factory: ContractFactory;
}

const OURS: readonly Candidate[] = [
  { name: 'dummy', factory: dummySubject, lacks: ['stall', 'loseAnswers'] },
  { name: 'inbox', factory: inboxSubject, lacks: ['loseAnswers'] },
  { name: 'file', factory: fileSubject, lacks: ['refuse', 'stall', 'loseAnswers'] },
  { name: 'smtp', factory: () => smtpSubject() },
  { name: 'ses', factory: sesSubject },
];

const OTHERS: readonly Candidate[] = [
  {
    name: 'nodemailer',
    factory: () => smtpSubject(({ host, port }) => nodemailerAdapter(host, port)),
  },
  { name: '@upyo/smtp', factory: () => smtpSubject(({ host, port }) => upyoAdapter(host, port)) },
];

/** A case of the contract: by candidate, why it fails, or null; a candidate without an entry was not asked. */
interface Row {
  readonly name: string;
  readonly failures: ReadonlyMap<string, string | null>;
}

/** Judges every candidate, case by case. */
export async function judge(): Promise<readonly Row[]> {
  const verdicts = await Promise.all(
    [...OURS, ...OTHERS].map(async ({ name, factory, ...options }) => {
      const failures = new Map<string, string | null>();
      for (const { name: rule, run } of backendContract(factory, { timeoutMs: 30_000, ...options })) {
        failures.set(rule, await failureOf(run));
      }
      return [name, failures] as const;
    }),
  );
  return backendContract(dummySubject).map(({ name }) => {
    const entries = verdicts.map(([candidate, failures]) => [candidate, failures.get(name)] as const);
    return {
      name,
      failures: new Map(entries.filter((entry): entry is [string, string | null] => entry[1] !== undefined)),
    };
  });
}

async function failureOf(run: () => Promise<void>): Promise<string | null> {
  try {
    await run();
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return reason.replaceAll(/\s+/g, ' ').slice(0, 160);
  }
}

type Paint = (color: 'green' | 'red' | 'dim', text: string) => string;

/** The verdicts as a table: ✓ holds, ✗ does not, · was not asked, as the provider cannot be told to do what it needs. */
export function printTable(rows: readonly Row[], paint: Paint = (_, text) => text): string {
  const names = [...OURS, ...OTHERS].map(({ name }) => name);
  const width = Math.max(...rows.map(({ name }) => name.length));
  const line = (title: string, cells: readonly string[]) => `${title.padEnd(width)}  ${cells.join('  ')}`.trimEnd();
  const mark = (failure: string | null | undefined, cell: number) => {
    const [text, color] =
      failure === null
        ? (['✓', 'green'] as const)
        : failure === undefined
          ? (['·', 'dim'] as const)
          : (['✗', 'red'] as const);
    return paint(color, text) + ' '.repeat(cell - 1);
  };
  const totals = names.map((name) => {
    const asked = rows.flatMap(({ failures }) => failures.get(name) ?? (failures.has(name) ? [null] : []));
    return `${asked.filter((failure) => failure === null).length}/${asked.length}`.padEnd(Math.max(name.length, 5));
  });
  return [
    line(
      '',
      names.map((name) => name.padEnd(5)),
    ),
    ...rows.map(({ name, failures }) =>
      line(
        name,
        names.map((candidate) => mark(failures.get(candidate), Math.max(candidate.length, 5))),
      ),
    ),
    line('', totals),
  ].join('\n');
}

/** Why cases fail, by candidate. */
function printReasons(rows: readonly Row[]): string {
  const sections = [...OURS, ...OTHERS].flatMap(({ name }) => {
    const reasons = rows.flatMap((row) => {
      const reason = row.failures.get(name);
      return reason ? [`  ${row.name}\n    ${reason}`] : [];
    });
    return reasons.length === 0 ? [] : [`\n${name}\n${reasons.join('\n')}`];
  });
  return sections.join('\n');
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const rows = await judge();
  stdout.write(`${printTable(rows, (color, text) => styleText(color, text))}\n${printReasons(rows)}\n`);
  // What is left of the others' connections would keep the process for minutes.
  exit(OURS.some(({ name }) => rows.some(({ failures }) => failures.get(name))) ? 1 : 0);
}
