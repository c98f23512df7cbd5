import type { RecipientStatus, Try } from '../model/status.ts';

let latest: readonly Try[] = /* @__PURE__ */ Object.freeze([]);

/**
 * The list of the one try that has just ended so. Those that ended alike in the same millisecond are one list, as a status keeps it:
 * of a call with many mails, what is kept costs more than what is done.
 */
export function onlyTry(via: string, { status, code }: RecipientStatus): readonly Try[] {
  const now = Date.now();
  const [last] = latest;
  if (last?.via === via && last.status === status && last.code === code && last.at.getTime() === now) return latest;
  latest = Object.freeze([{ via, status, code, at: new Date(now) }]);
  return latest;
}
