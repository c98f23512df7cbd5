/** @typedef {import('../store/caught-mail.ts').MailSummary} MailSummary */
/** @typedef {MailSummary & import('../../mime/read/mail-view.ts').MailDetail} Mail */
/** @typedef {import('../store/mail-store.ts').MailListing & { readonly unknownTerms: readonly string[] }} MailListing */
/** @typedef {import('../../mime/lint/finding.ts').LintFinding} LintFinding */
/** @typedef {import('../catch/chaos.ts').ChaosSettings} ChaosSettings */
/** @typedef {import('../release.ts').ReleaseResult} ReleaseResult */
/** @typedef {import('../store/mail-store.ts').StoreChange & { readonly total: number, readonly unread: number }} MailboxChange */
/**
 * @typedef {{
 *   readonly page: { readonly host: string, readonly port: number },
 *   readonly smtp: import('../catch/receiver.ts').SmtpAddress | null,
 *   readonly release: readonly string[] | null,
 *   readonly chaos: ChaosSettings,
 * }} Info
 */

/**
 * Calls the API; an error answer is thrown with its own message.
 *
 * @param {string} path
 * @param {{ method?: string, body?: object, signal?: AbortSignal }} [options]
 * @returns {Promise<any>} the answer, typed by the functions below
 */
async function request(path, { method = 'GET', body, signal } = {}) {
  const response = await fetch(path, {
    method,
    ...(signal ? { signal } : {}),
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? `the mailbox answered ${response.status}`);
  return answer;
}

/** The path of a mail or a preview in the API. @param {{ kind: string, id: string }} place */
export function pathOf({ kind, id }) {
  return `/api/${kind === 'preview' ? 'previews' : 'messages'}/${encodeURIComponent(id)}`;
}

/** @returns {Promise<Info>} */
export const getInfo = () => request('/api/info');

/** @param {string} query @param {string | undefined} before @param {AbortSignal} [signal] @returns {Promise<MailListing>} */
export function listMails(query, before, signal) {
  const parameters = new URLSearchParams({ limit: '100', ...(query ? { query } : {}), ...(before ? { before } : {}) });
  return request(`/api/messages?${parameters}`, signal ? { signal } : {});
}

/** @param {string} path @param {AbortSignal} signal @returns {Promise<Mail>} */
export const getMail = (path, signal) => request(path, { signal });

/** @param {string} path @param {AbortSignal} signal @returns {Promise<{ checks: readonly LintFinding[] }>} */
export const getChecks = (path, signal) => request(`${path}/checks`, { signal });

/** @param {string} path @param {AbortSignal} signal @returns {Promise<string>} */
export const getText = async (path, signal) => (await fetch(path, { signal })).text();

/** @returns {Promise<{ previews: readonly string[] }>} */
export const listPreviews = () => request('/api/previews');

/** @param {string} id @param {boolean} isRead @returns {Promise<void>} */
export const setRead = (id, isRead) => request(`/api/messages/${id}/read`, { method: 'PUT', body: { isRead } });

/** @param {string} id @returns {Promise<void>} */
export const deleteMail = (id) => request(`/api/messages/${id}`, { method: 'DELETE' });

/** @param {string} query @returns {Promise<void>} */
export const deleteMails = (query) => request(`/api/messages?${new URLSearchParams({ query })}`, { method: 'DELETE' });

/** @param {Partial<ChaosSettings>} changes @returns {Promise<ChaosSettings>} */
export const setChaos = (changes) => request('/api/chaos', { method: 'PUT', body: changes });

/** @param {string} id @param {string} to @returns {Promise<ReleaseResult>} */
export const releaseMail = (id, to) => request(`/api/messages/${id}/release`, { method: 'POST', body: { to } });

/**
 * Listens to the events of the mailbox; returns the function that stops it.
 *
 * @param {{
 *   onChange: (change: MailboxChange) => void,
 *   onPreviews: () => void,
 *   onChaos: (settings: ChaosSettings) => void,
 *   onConnection: (isOpen: boolean) => void,
 * }} listeners
 */
export function listen({ onChange, onPreviews, onChaos, onConnection }) {
  const source = new EventSource('/api/events');
  source.addEventListener('open', () => onConnection(true));
  source.addEventListener('error', () => onConnection(false));
  source.addEventListener('change', ({ data }) => onChange(JSON.parse(data)));
  source.addEventListener('previews', () => onPreviews());
  source.addEventListener('chaos', ({ data }) => onChaos(JSON.parse(data)));
  return () => source.close();
}
