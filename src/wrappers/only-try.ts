import type { RecipientStatus, Try } from '../model/status.ts';

/** The lists of the tries that ended in the latest millisecond, by `via`: wrappers may give mails to many connections in turns. */
const latest = /* @__PURE__ */ new Map<string, readonly [Try]>();
let at: Date = /* @__PURE__ */ new Date(0);

/**
 * The list of the one try that has just ended so. Those that ended alike in the same millisecond are one list, as a status keeps it:
 * of a call with many mails, what is kept costs more than what is done.
 */
export function onlyTry(via: string, { status, code }: RecipientStatus): readonly Try[] {
  const now = Date.now();
  if (at.getTime() !== now) {
    latest.clear();
    at = new Date(now);
  }
  const last = latest.get(via);
  if (last !== undefined && last[0].status === status && last[0].code === code) return last;
  const list = Object.freeze([Object.freeze({ via, status, code, at })] as const);
  latest.set(via, list);
  return list;
}
