/** @typedef {import('../dashboard/answers.ts').Overview} Overview */
/** @typedef {Omit<import('../dashboard/answers.ts').Row, 'createdAt' | 'dueAt'> & { readonly createdAt: string, readonly dueAt: string }} Row */
/** @typedef {Omit<import('../outbox-mail.ts').OutboxMail, 'createdAt' | 'dueAt' | 'changedAt'> & { readonly createdAt: string, readonly dueAt: string, readonly changedAt: string }} Mail */
/** @typedef {'retry' | 'cancel' | 'sent' | 'resend'} Action */
/** @typedef {{ readonly state: string, readonly lane: string, readonly text: string }} Filter */

/**
 * Asks the server; an error answer is thrown with its own message.
 *
 * @param {Record<string, string>} query
 * @param {{ body?: object, signal?: AbortSignal }} [options]
 * @returns {Promise<any>} the answer, typed by the functions below
 */
async function ask(query, { body, signal } = {}) {
  const response = await fetch(`?${new URLSearchParams(query)}`, {
    ...(signal ? { signal } : {}),
    ...(body
      ? {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-amsdal-mail': 'outbox' },
          body: JSON.stringify(body),
        }
      : {}),
  }).catch((error) => {
    throw signal?.aborted ? error : new Error('The server cannot be reached.');
  });
  if (response.ok) return response.json(); // rejects where the signal aborts meanwhile
  const answer = await response.json().catch(() => ({}));
  throw new Error(answer.error?.message ?? `The server answered ${response.status}.`);
}

/** @param {number} since @returns {Promise<Overview>} */
export const getOverview = (since) => ask({ do: 'overview', since: `${since}` });

/** @param {Filter} filter @param {string} before @param {AbortSignal} [signal] @returns {Promise<{ mails: readonly Row[] }>} */
export const listMails = (filter, before, signal) =>
  ask({ do: 'list', ...filter, before }, signal ? { signal } : undefined);

/** @param {string} id @returns {Promise<Mail>} */
export const getMail = (id) => ask({ do: 'mail', id });

/** How many the server takes at once. */
const AT_ONCE = 100;

/** Resolves with how many were in a state for it. @param {Action} action @param {readonly string[]} ids @returns {Promise<number>} */
export async function decide(action, ids) {
  let changed = 0;
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const answer = await ask({ do: 'decide' }, { body: { action, ids: ids.slice(at, at + AT_ONCE) } });
    changed += answer.changed.length;
  }
  return changed;
}
