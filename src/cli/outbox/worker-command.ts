import { stderr } from 'node:process';
import { ConfigurationError } from '../../model/errors.ts';
import type { WorkReport } from '../../outbox/work-options.ts';
import { type Command, type CommandOptions, defineCommand, numberOf } from '../command.ts';
import { UsageError } from '../failure.ts';
import { formatCount } from '../output.ts';
import { OUTBOX_CONNECTION, outboxOf } from './outbox-of.ts';

const OPTIONS = {
  ...OUTBOX_CONNECTION,
  concurrency: { value: 'N', help: 'how many mails it has at once; default: 100' },
  lane: { value: 'NAME', many: true, help: 'serve this lane alone; default: all' },
  once: { help: 'end once nothing is due, for cron' },
  drain: { value: 'SECONDS', help: 'how long what is under way may take after SIGTERM; default: 30' },
} as const satisfies CommandOptions;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** How often progress is shown, in milliseconds. */
const PROGRESS_MS = 5_000;

/** `amsdal-mail worker`: sends what an outbox has. */
export const workerCommand: Command = defineCommand({
  name: 'worker',
  about:
    'Sends the mails of an outbox until it is interrupted. Any number of workers may run, in any number of processes: a mail is\nsent by one of them.',
  options: OPTIONS,
  notes:
    'SIGTERM or Ctrl+C: it claims nothing more and ends when what is under way is sent; a second one ends it at once and leaves\nthat in doubt. Exit codes: 0; 1 when mails are in doubt or a lane is paused; 2 wrong usage; 75 when the store does not answer.',
  examples: [
    "AMSDAL_EMAIL_URL='outbox:sqlite:./mail.db?via=@smtp' npx amsdal-mail worker",
    'npx amsdal-mail worker --once --lane bulk',
  ],
  async run({ values, output }) {
    const concurrency = numberOf('concurrency', values.concurrency);
    if (concurrency === 0) throw new UsageError('--concurrency must be 1 or more');
    const outbox = await outboxOf(values, output.isJson);
    const stop = new AbortController();
    const onSignal = (signal: (typeof SIGNALS)[number]) => {
      if (stop.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
      output.note('ending: what is under way is sent; once more ends at once and leaves it in doubt');
      stop.abort();
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
    let latest: WorkReport = { sent: 0, failed: 0, retried: 0, inDoubt: 0 };
    let shown = latest;
    const timer = setInterval(() => {
      if (shown !== latest) output.note(summaryOf(latest));
      shown = latest;
    }, PROGRESS_MS);
    try {
      if (!values.once) output.note(`working${stderr.isTTY ? '; Ctrl+C ends it' : ''}`);
      const drain = numberOf('drain', values.drain);
      latest = await outbox.work({
        signal: stop.signal,
        concurrency,
        lanes: values.lane,
        once: values.once,
        drainMs: drain === undefined ? undefined : drain * 1_000,
        onProgress: (report) => {
          latest = report;
        },
      });
      const health = await outbox.health();
      output.json({ ...latest, health });
      output.line(summaryOf(latest));
      if (health.inDoubt > 0)
        output.note(`${formatCount(health.inDoubt)} in doubt: npx amsdal-mail outbox list --state in-doubt`);
      for (const { lane, reason } of (await outbox.stats()).paused) output.note(`lane ${lane} is paused: ${reason}`);
      return health.status === 'ok' ? 0 : 1;
    } catch (error) {
      const isOfLane = error instanceof ConfigurationError && error.option === 'lanes';
      throw isOfLane ? new UsageError(error.message) : error;
    } finally {
      clearInterval(timer);
      for (const signal of SIGNALS) process.off(signal, onSignal);
      await outbox.close();
    }
  },
});

function summaryOf({ sent, failed, retried, inDoubt }: WorkReport): string {
  const parts = [
    `${formatCount(sent)} sent`,
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(retried > 0 ? [`${formatCount(retried)} to be tried again`] : []),
    ...(inDoubt > 0 ? [`${formatCount(inDoubt)} in doubt`] : []),
  ];
  return parts.join(', ');
}
