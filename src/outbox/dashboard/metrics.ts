import { BOUNDS, type Meter } from '../meter.ts';
import type { Count, MailState, Pause } from '../store.ts';

/** All states, in the order in which a mail goes through them. */
export const STATES: readonly MailState[] = ['queued', 'claimed', 'sending', 'in-doubt', 'sent', 'failed', 'cancelled'];

type Labels = Readonly<Record<string, string>>;
type Row = readonly [suffix: string, labels: Labels, value: number];

/**
 * Prometheus's text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Each lane has every state, those with 0
 * mails among them: an alert needs a value from the start.
 */
export function metricsText(
  known: readonly string[],
  counts: readonly Count[],
  paused: readonly Pause[],
  { lanes: meters }: Meter,
): string {
  const lanes = [...new Set([...known, ...counts.map(({ lane }) => lane), ...paused.map(({ lane }) => lane)])];
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
