import type { OptionSpec } from '../../options/option-table.ts';

/** How a backend's option `dkim` is checked before {@link readDkimKeys} reads it. */
export const DKIM_OPTION: OptionSpec = {
  type: 'custom',
  expected: '{domain, selector, privateKey} or a list of them',
  check: (value) => (Array.isArray(value) ? value.length > 0 && value.every(isDkim) : isDkim(value)),
  secret: true,
};

function isDkim(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { domain, selector, privateKey, ...rest } = value as Readonly<Record<string, unknown>>;
  return [domain, selector, privateKey].every((part) => typeof part === 'string') && Object.keys(rest).length === 0;
}
