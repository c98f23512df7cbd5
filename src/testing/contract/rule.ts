import type { ContractAbilities } from './subject.ts';
import type { Trial } from './trial.ts';

/** One thing that holds of every backend. */
export interface ContractRule {
  readonly name: string;
  /** What the provider must be able to do. */
  readonly needs?: keyof ContractAbilities;
  /** @throws {AssertionError} when it does not hold. */
  check(trial: Trial): Promise<void>;
}
