import type { ClaimedMail, Held, MailState, NewMail, OutboxStore, Settlement } from './store.ts';

/** How long what a case claims is held, in milliseconds. */
export const LEASE = 60_000;

let count = 0;

/** A mail with an id behind those before it. */
export function mail(given: Partial<NewMail> = {}): NewMail {
  const id = `01${String(++count).padStart(24, '0')}`;
  return {
    ...{ id, key: null, lane: 'a', priority: 0, orderKey: null, messageId: null, dueAt: null, onDoubt: 'hold' },
    ...{ facts: `{"subject":"mail ${id}"}`, content: new TextEncoder().encode(`content ${id}`), blobs: [] },
    ...given,
  };
}

export async function enqueue(store: OutboxStore, ...mails: readonly NewMail[]): Promise<readonly string[]> {
  return (await store.enqueue(mails, {})).map(({ id }) => id);
}

/** Claims of the lanes `a` and `b`. */
export function claim(
  store: OutboxStore,
  limit = 10,
  lanes: readonly string[] = ['a', 'b'],
): Promise<readonly ClaimedMail[]> {
  const request = { lanes: lanes.map((lane) => ({ lane, limit })), limit, leaseMs: LEASE };
  return store.claim(request).then(({ mails }) => mails);
}

export function settlement({ id, fence }: Held, to: MailState, given: Partial<Settlement> = {}): Settlement {
  const from: readonly MailState[] = ['claimed', 'sending', 'in-doubt'];
  return {
    id,
    fence,
    from,
    to,
    afterMs: 0,
    isTried: true,
    facts: null,
    keepsRequest: false,
    dropsContent: false,
    ...given,
  };
}

export async function stateOf(store: OutboxStore, id: string): Promise<MailState | undefined> {
  return (await store.query('mail', { id }))?.state;
}

export const idsOf = (mails: readonly { readonly id: string }[]): readonly string[] => mails.map(({ id }) => id);
