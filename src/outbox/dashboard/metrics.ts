import type { Rates } from '../../util/rates.ts';
import { BOUNDS, type Meter } from '../meter.ts';
import { accountLeftOf, leftByLane, type StoreNumbers } from '../outbox-stats.ts';
import { type Left, type MailState, STATES } from '../store.ts';

type Labels = Readonly<Record<string, string>>;
type Row = readonly [suffix: string, labels: Labels, value: number];

/**
 * Prometheus's text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Each lane has every state, those with 0
 * mails among them: an alert needs a value from the start.
 */
export function metricsText(
  rates: ReadonlyMap<string, Rates | null>,
  { counts, paused, left }: StoreNumbers,
  { lanes: meters }: Meter,
): string {
  const lanes = [...new Set([...rates.keys(), ...counts.map(({ lane }) => lane), ...paused.map(({ lane }) => lane)])];
  const of = (lane: string, state: MailState) => counts.find((each) => each.lane === lane && each.state === state);
  const each = (rowOf: (lane: string) => number): readonly Row[] => lanes.map((lane) => ['', { lane }, rowOf(lane)]);
  const pauseOf = (lane: string) => paused.find((pause) => pause.lane === lane);
  return [
    family(
      ...['mails', 'gauge', 'Mails that the outbox keeps, by lane and state.'],
      lanes.flatMap((lane) => STATES.map((state): Row => ['', { lane, state }, of(lane, state)?.count ?? 0])),
    ),
    family(
      ...['oldest_due_seconds', 'gauge', 'How long the mail of the lane has been due that waits the longest.'],
      each((lane) => Math.max(0, of(lane, 'queued')?.oldestMs ?? 0) / 1_000),
    ),
    family(
      ...['lane_paused', 'gauge', '1 while the lane waits for a fault of the connection to be mended, else 0.'],
      each((lane) => (pauseOf(lane) === undefined ? 0 : 1)),
    ),
    family(
      ...['left', 'gauge', 'Recipients that the rates of the lane let through in this minute, hour or day.'],
      Object.entries(leftByLane(left, rates)).flatMap(([lane, each]) => leftRows({ lane }, each)),
    ),
    family(
      ...['account_left', 'gauge', 'Recipients that the account behind all lanes lets through in this day.'],
      leftRows({}, accountLeftOf(left)),
    ),
    family(
      ...['results_total', 'counter', 'What the workers of this process have done; queued, another try follows.'],
      [...meters].flatMap(([lane, { results }]) =>
        Object.entries(results).map(([result, count]): Row => ['', { lane, result }, count]),
      ),
    ),
    family(
      'try_duration_seconds',
      'histogram',
      'From when a worker of this process had a mail until it was written down what became of it.',
      [...meters].flatMap(([lane, { durations, seconds }]) => {
        let sum = 0;
        const buckets = durations.map((count, place): Row => {
          sum += count;
          return ['_bucket', { lane, le: BOUNDS[place]?.toString() ?? '+Inf' }, sum];
        });
        return [...buckets, ['_sum', { lane }, seconds] as const, ['_count', { lane }, sum] as const];
      }),
    ),
  ].join('');
}

function leftRows(labels: Labels, left: Left): readonly Row[] {
  return Object.entries(left).map(([window, count]) => ['', { ...labels, window }, count]);
}

function family(name: string, type: string, help: string, rows: readonly Row[]): string {
  const full = `amsdal_mail_outbox_${name}`;
  const lines = rows.map(([suffix, labels, value]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${full}${suffix}{${pairs.join()}} ${value}\n`;
  });
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
