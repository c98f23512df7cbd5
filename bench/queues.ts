// How fast mails go through an outbox with workers in processes of their own, beside what a queue does alone.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { argv } from 'node:process';
import { DummyBackend } from '../src/backends/dummy.ts';
import { EmailMessage } from '../src/model/message.ts';
import { Outbox } from '../src/outbox/outbox.ts';
import type { OutboxStore } from '../src/outbox/store.ts';
import { type BenchRow, median, report } from './report.ts';

const ROUNDS = 5;
const COUNT = 10_000;
const ONE_BY_ONE = 500;
const BULK = 1_000;
/** So many go first, that are not measured: processes that have just started load code and compile it. */
const FIRST = 2_000;
const WORKERS = 4;

/** How many a worker has at once. */
export const CONCURRENCY = 100;

/** A queue of which the jobs do nothing, or an outbox that sends nothing. */
export interface QueueSubject {
  /** Adds so many, at once or one after the other. */
  add(count: number, isBulk: boolean): Promise<unknown>;
  /** Works in this process, and tells how many more are through. */
  work(onDone: (count: number) => void): unknown;
  close(): Promise<unknown>;
}

/** Subjects by their names; each is made over `place`, and has what it needs under `name`. */
export type QueueSubjects = Readonly<
  Record<string, (place: string, name: string) => QueueSubject | Promise<QueueSubject>>
>;

const message = new EmailMessage({
  subject: 'Your order',
  body: 'Thank you for your order. '.repeat(60),
  fromEmail: 'shop@example.com',
  to: 'jane@example.org',
});

/** What a job has in it. */
export const DATA = { subject: message.subject, body: message.body, from: message.fromEmail, to: [...message.to] };

/** Sends nothing, many at once, as jobs that do nothing. */
class Nothing extends DummyBackend {
  protected override readonly concurrency = CONCURRENCY;
}

export function outboxSubject(store: OutboxStore): QueueSubject {
  const outbox = new Outbox({ store, connection: new Nothing() });
  const stop = new AbortController();
  return {
    add: async (count, isBulk) => {
      if (isBulk) await outbox.enqueue(new Array<EmailMessage>(count).fill(message));
      else for (let place = 0; place < count; place++) await outbox.enqueue(message);
    },
    work: (onDone) => {
      let before = 0;
      const onProgress = ({ sent }: { readonly sent: number }) => {
        onDone(sent - before);
        before = sent;
      };
      return outbox.work({ signal: stop.signal, concurrency: CONCURRENCY, onProgress });
    },
    close: async () => {
      stop.abort();
      await outbox.close();
    },
  };
}

/** Whether this process is a worker of a benchmark; it has worked then. */
export async function hasWorked(subjects: QueueSubjects): Promise<boolean> {
  const [, , what, kind = '', place = '', name = ''] = argv;
  if (what !== 'work') return false;
  const subject = await subjects[kind]?.(place, name);
  let done = 0;
  void subject?.work((some) => {
    done += some;
  });
  const timer = setInterval(() => {
    if (done > 0 && process.connected) process.send?.(done);
    done = 0;
  }, 5);
  process.send?.(0);
  await once(process, 'disconnect');
  clearInterval(timer);
  await subject?.close();
  return true;
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Workers in processes of their own, until all is through. */
async function endToEnd(file: string, values: readonly string[], subject: QueueSubject): Promise<number> {
  const workers = Array.from({ length: WORKERS }, () => fork(file, ['work', ...values]));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  let left = 0;
  let end = () => {};
  const count = (worker: ChildProcess) =>
    worker.on('message', (some) => {
      left -= Number(some);
      if (left <= 0) end();
    });
  workers.forEach(count);
  const work = async (number: number) => {
    left = number;
    const all = new Promise<void>((resolve) => {
      end = resolve;
    });
    for (let place = 0; place < number; place += BULK) await subject.add(BULK, true);
    await all;
  };
  await work(FIRST);
  const ms = await msOf(() => work(COUNT));
  const ended = workers.map((worker) => once(worker, 'exit'));
  for (const worker of workers) worker.disconnect();
  await Promise.all(ended);
  return ms;
}

/** @param file the program, which begins with {@link hasWorked} @param reset forgets all that there is */
export async function benchQueues(
  title: string,
  file: string,
  subjects: QueueSubjects,
  place: string,
  reset: () => Promise<unknown>,
): Promise<void> {
  const times: Record<string, Record<string, number[]>> = {};
  const add = (row: string, kind: string, ms: number) => {
    times[row] ??= {};
    times[row][kind] ??= [];
    times[row][kind].push(ms);
  };
  for (let round = -1; round < ROUNDS; round++) {
    for (const [number, [kind, make]] of Object.entries(subjects).entries()) {
      const one = await make(place, `one${number}`);
      await one.add(1, true);
      const single = await msOf(() => one.add(ONE_BY_ONE, false));
      const bulk = await msOf(() => one.add(COUNT, true));
      await one.close();
      const two = await make(place, `two${number}`);
      const through = await endToEnd(file, [kind, place, `two${number}`], two);
      await two.close();
      await reset();
      if (round < 0) continue;
      add(`add ${ONE_BY_ONE}, each awaited`, kind, single);
      add('add 10,000 in one call', kind, bulk);
      add(`10,000 in calls of 1,000, while ${WORKERS} processes work`, kind, through);
    }
  }
  const rows = Object.entries(times).map(([name, byKind]): BenchRow => {
    const medians = Object.entries(byKind).map(([kind, all]) => [kind, median(all)]);
    return { name, results: Object.fromEntries(medians), unit: 'ms', ...(name.includes('work') && { target: 0.8 }) };
  });
  report(title, rows);
}
