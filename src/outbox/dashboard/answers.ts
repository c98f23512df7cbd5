import { isObject } from '../../util/json.ts';
import type { Rates } from '../../util/rates.ts';
import type { Meter } from '../meter.ts';
import type { Outbox } from '../outbox.ts';
import type { OutboxMail } from '../outbox-mail.ts';
import { accountLeftOf, leftByLane, type OutboxStats } from '../outbox-stats.ts';
import { type Count, type MailState, type OutboxStore, STATES } from '../store.ts';
import { EVERY_MS, type History, type Snapshot } from './history.ts';

/** What a dashboard shows. */
export interface DashboardHost {
  readonly outbox: Outbox;
  readonly store: OutboxStore;
  /** The lanes that the outbox has, and their rates. */
  readonly rates: ReadonlyMap<string, Rates | null>;
  readonly meter: Meter;
  /** Aborts when the outbox is closed. */
  readonly signal: AbortSignal;
}

/** Counts of one time by lane, in the order of `states`. */
type Sample = readonly [at: number, counts: Readonly<Record<string, readonly number[]>>];

/** The outbox as a whole. */
export interface Overview {
  /** By the clock of the process. */
  readonly now: number;
  readonly store: string;
  readonly isReadOnly: boolean;
  readonly lanes: readonly string[];
  readonly states: readonly MailState[];
  readonly counts: readonly Count[];
  readonly paused: Snapshot['paused'];
  /** As `stats()` tells them. */
  readonly left: OutboxStats['left'];
  readonly accountLeft: OutboxStats['accountLeft'];
  /** The median and the 95th percentile of the delays, in milliseconds; null where nothing of the newest was sent. */
  readonly delays: { readonly of: number; readonly median: number; readonly p95: number } | null;
  /** What the workers of this process have done; null without any. */
  readonly worked: { readonly sent: number; readonly tries: number; readonly meanMs: number } | null;
  readonly everyMs: number;
  readonly samples: readonly Sample[];
}

/** @param since what the page has already, in milliseconds since 1970 */
export async function overviewOf(
  { store, rates, meter }: DashboardHost,
  history: History,
  isReadOnly: boolean,
  since: number,
): Promise<Overview> {
  const { counts, paused, left, delays } = await history.now();
  const at = (share: number) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? 0;
  const meters = [...meter.lanes.values()];
  const sum = (of: (each: (typeof meters)[number]) => number) => meters.reduce((all, each) => all + of(each), 0);
  const tries = sum(({ durations }) => durations.reduce((all, count) => all + count, 0));
  return {
    ...{ now: Date.now(), store: store.name, isReadOnly, states: STATES, counts, paused, everyMs: EVERY_MS },
    ...{ left: leftByLane(left, rates), accountLeft: accountLeftOf(left) },
    lanes: [...new Set([...rates.keys(), ...counts.map(({ lane }) => lane)])],
    delays: delays.length === 0 ? null : { of: delays.length, median: at(0.5), p95: at(0.95) },
    worked:
      tries === 0
        ? null
        : { sent: sum(({ results }) => results.sent), tries, meanMs: (sum(({ seconds }) => seconds) / tries) * 1_000 },
    samples: history.since(since).map(sampleOf),
  };
}

function sampleOf({ at, counts }: Snapshot): Sample {
  const lanes = [...new Set(counts.map(({ lane }) => lane))];
  const countOf = (lane: string, state: MailState) =>
    counts.find((each) => each.lane === lane && each.state === state)?.count ?? 0;
  return [at, Object.fromEntries(lanes.map((lane) => [lane, STATES.map((state) => countOf(lane, state))]))];
}

/** A mail in the list. */
export interface Row extends Pick<OutboxMail, 'id' | 'state' | 'lane' | 'subject' | 'tries' | 'createdAt' | 'dueAt'> {
  /** The first recipient. */
  readonly to: string;
  /** How many more there are. */
  readonly others: number;
  /** What happened last, cut; empty before the first try. */
  readonly last: string;
}

const PAGE = 100;
const LONGEST = 200;

/** A page of the list: mails that fit all of the parameters. */
export async function listOf({ outbox }: DashboardHost, asked: URLSearchParams): Promise<readonly Row[]> {
  const given = (name: string) => asked.get(name) || undefined;
  const state = STATES.find((each) => each === given('state'));
  const mails = await outbox.list({
    ...{ state, lane: given('lane'), text: given('text'), before: given('before'), limit: PAGE },
  });
  return mails.map(({ id, state, lane, subject, tries, createdAt, dueAt, recipients, events }) => ({
    ...{ id, state, lane, tries, createdAt, dueAt },
    subject: subject.slice(0, LONGEST),
    to: recipients[0]?.address ?? '',
    others: Math.max(0, recipients.length - 1),
    last: events.at(-1)?.text.slice(0, LONGEST) ?? '',
  }));
}

const ACTIONS: Readonly<Record<string, (outbox: Outbox, id: string) => Promise<boolean>>> = {
  retry: (outbox, id) => outbox.retry(id),
  cancel: (outbox, id) => outbox.cancel(id),
  sent: (outbox, id) => outbox.resolve(id, 'sent'),
  resend: (outbox, id) => outbox.resolve(id, 'resend'),
};

/** Decides about mails, one after the other; resolves with the ids of those that were in a state for it, null for what is no such wish. */
export async function decide({ outbox }: DashboardHost, asked: unknown): Promise<readonly string[] | null> {
  if (!isObject(asked)) return null;
  const { action, ids } = asked;
  const act = typeof action === 'string' && Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (act === undefined || !Array.isArray(ids) || ids.length > PAGE) return null;
  const changed: string[] = [];
  for (const id of ids) if (typeof id === 'string' && (await act(outbox, id))) changed.push(id);
  return changed;
}
