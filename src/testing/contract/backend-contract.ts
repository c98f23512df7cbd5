import { AssertionError } from 'node:assert';
import type { Awaitable } from '../../events.ts';
import { CALL_RULES } from './call-rules.ts';
import { CONTENT_RULES } from './content-rules.ts';
import type { ContractRule } from './rule.ts';
import { SAFETY_RULES } from './safety-rules.ts';
import { STATUS_RULES } from './status-rules.ts';
import type { ContractAbilities, ContractSubject } from './subject.ts';
import { Trial } from './trial.ts';
import { within } from './within.ts';

/** Makes a backend with an empty provider of its own; called once for every case. */
export type ContractFactory = () => Awaitable<ContractSubject>;

/** The settings of {@link backendContract}. */
export interface ContractOptions {
  /** What the provider cannot be told to do: the cases that need it are left out. */
  readonly lacks?: readonly (keyof ContractAbilities)[];
  /** How long a case may take before it fails; default 15,000. */
  readonly timeoutMs?: number;
}

/** One case of the contract. */
export interface ContractCase {
  /** What must hold, in words. */
  readonly name: string;
  /** @throws {AssertionError} when it does not hold; or does not end in time. */
  run(): Promise<void>;
}

/** What {@link describeBackend} needs of a test runner, and what the provider cannot do. */
export interface DescribeOptions extends ContractOptions {
  /** The test runner's `describe`. */
  readonly describe: (name: string, body: () => void) => unknown;
  /** The test runner's `it` or `test`. */
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

const RULES: readonly ContractRule[] = [...CONTENT_RULES, ...STATUS_RULES, ...CALL_RULES, ...SAFETY_RULES];
const CLOSE_MS = 2_000;

/** What holds of every backend, case by case, without a test runner. */
export function backendContract(factory: ContractFactory, options: ContractOptions = {}): readonly ContractCase[] {
  const { lacks = [], timeoutMs = 15_000 } = options;
  return RULES.filter(({ needs }) => needs === undefined || !lacks.includes(needs)).map((rule) => ({
    name: rule.name,
    run: () => runRule(rule, factory, timeoutMs),
  }));
}

/** {@link backendContract} as a suite of a test runner: give it the `describe` and `it` of Vitest, Jest or node:test. */
export function describeBackend(name: string, factory: ContractFactory, options: DescribeOptions): void {
  const { describe, it } = options;
  describe(name, () => {
    for (const { name: rule, run } of backendContract(factory, options)) it(rule, run);
  });
}

async function runRule(
  { name, needs, check }: ContractRule,
  factory: ContractFactory,
  timeoutMs: number,
): Promise<void> {
  const subject = await factory();
  try {
    if (needs !== undefined && subject[needs] === undefined) {
      const message = `the provider has no ${needs}(): give it one, or say lacks: ['${needs}']`;
      throw new AssertionError({ message });
    }
    await within(timeoutMs, check(new Trial(subject)), `"${name}" did not end within ${timeoutMs} ms`);
  } finally {
    // What a case left open must not hide what it found.
    await within(CLOSE_MS, subject.backend.close(), 'close did not end').catch(() => {});
    await subject.close?.();
  }
}
