import { AssertionError } from 'node:assert';
import type { Awaitable } from '../../events/mail-event.ts';
import { CALL_RULES } from './call-rules.ts';
import { CONTENT_RULES } from './content-rules.ts';
import { SAFETY_RULES } from './safety-rules.ts';
import { STATUS_RULES } from './status-rules.ts';
import type { ContractAbilities, ContractSubject } from './subject.ts';
import { type ContractRule, Trial, within } from './trial.ts';

/** Makes a backend with its own empty provider; called once per case. */
export type ContractFactory = () => Awaitable<ContractSubject>;

/** The settings of {@link backendContract}. */
export interface ContractOptions {
  /** Abilities that the test provider lacks; the cases that need them are left out. */
  readonly lacks?: readonly (keyof ContractAbilities)[];
  /** Milliseconds after which a case fails; default 15,000. */
  readonly timeoutMs?: number;
}

/** One case of the contract. */
export interface ContractCase {
  /** What must hold, in words. */
  readonly name: string;
  /** @throws {AssertionError} when it does not hold, or does not end in time. */
  run(): Promise<void>;
}

/** The settings of {@link describeBackend}. */
export interface DescribeOptions extends ContractOptions {
  /** The test runner's `describe`. */
  readonly describe: (name: string, body: () => void) => unknown;
  /** The test runner's `it` or `test`. */
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

const RULES: readonly ContractRule[] = [...CONTENT_RULES, ...STATUS_RULES, ...CALL_RULES, ...SAFETY_RULES];
const CLOSE_MS = 2_000;

/** The contract of every backend as cases, independent of a test runner. */
export function backendContract(factory: ContractFactory, options: ContractOptions = {}): readonly ContractCase[] {
  const { lacks = [], timeoutMs = 15_000 } = options;
  return RULES.filter(({ needs }) => needs === undefined || !lacks.includes(needs)).map((rule) => ({
    name: rule.name,
    run: () => runRule(rule, factory, timeoutMs),
  }));
}

/** Runs {@link backendContract} as a suite, with the `describe` and `it` of Vitest, Jest or node:test. */
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
    // A failing close must not hide the result of the case.
    await within(CLOSE_MS, subject.backend.close(), 'close did not end').catch(() => {});
    await subject.close?.();
  }
}
