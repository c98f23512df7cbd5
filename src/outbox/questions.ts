import { ConfigurationError } from '../model/errors.ts';
import { checkOptions, type OptionTable } from '../options/option-table.ts';
import { type ListQuery, STATES } from './store.ts';

/** What Postgres counts to. */
const MOST = 2_147_483_647;

const LIST_OPTIONS: OptionTable<Partial<ListQuery>> = /* @__PURE__ */ (() => ({
  state: { type: 'enum', values: STATES },
  lane: { type: 'string' },
  text: { type: 'string' },
  before: { type: 'string' },
  limit: { type: 'integer', min: 0, max: MOST },
}))();

const PRUNE_OPTIONS: OptionTable<{ readonly olderThanMs?: number }> = /* @__PURE__ */ (() => ({
  olderThanMs: { type: 'integer', min: 0 },
}))();

/** @throws {ConfigurationError} for a state that there is none of, which would find nothing. */
export function checkList(query: Partial<ListQuery>): void {
  checkOptions('list', LIST_OPTIONS, query);
}

/** @throws {ConfigurationError} for what would delete others. */
export function checkPrune(options: object): void {
  checkOptions('prune', PRUNE_OPTIONS, options);
}

/** @throws {ConfigurationError} for another word, which must not count as one of the two. */
export function checkDecision(decision: unknown): void {
  if (decision === 'sent' || decision === 'resend') return;
  const text = "resolve: the decision must be 'sent', it was, or 'resend', it is to be sent again";
  throw new ConfigurationError('invalid-option', text, { option: 'decision' });
}
