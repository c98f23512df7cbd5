// What hooks and tracing cost a mail while nobody listens: the questions that are asked for each, and whole sends for comparison.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isSendTraced } from '../src/backend/call/trace-send.ts';
import { DummyBackend } from '../src/backends/dummy.ts';
import { AfterSend, BeforeSend, SendFailed } from '../src/events/mail-events.ts';
import { EmailMessage } from '../src/model/message.ts';
import { type BenchRow, median, report } from './report.ts';

const ROUNDS = 7;
const message = new EmailMessage({ subject: 's', body: 'b', fromEmail: 'a@example.com', to: 'b@example.org' });

/** Every question a mail asks on its way when nobody listens; the sum keeps the compiler from leaving them out. */
function askAll(times: number): number {
  let answers = 0;
  for (let turn = 0; turn < times; turn++) {
    answers += Number(isSendTraced()) + Number(BeforeSend.hasListeners);
    answers += Number(AfterSend.hasListeners) + Number(SendFailed.hasListeners);
  }
  return answers;
}

async function send(times: number): Promise<void> {
  const backend = new DummyBackend();
  for (let turn = 0; turn < times; turn++) await backend.sendMessages([message]);
}

/** Microseconds a mail. */
async function measure(times: number, run: (times: number) => unknown): Promise<number> {
  const rounds: number[] = [];
  for (let round = -2; round < ROUNDS; round++) {
    const start = performance.now();
    await run(times);
    if (round >= 0) rounds.push(((performance.now() - start) * 1_000) / times);
  }
  return median(rounds);
}

const rows: BenchRow[] = [];
const add = (name: string, us: number) => rows.push({ name, results: { 'amsdal-mail': us }, unit: 'us' });

const asked = await measure(5_000_000, askAll);
add('questions a mail, nobody listens', asked);
add('a send over dummy, nobody listens', await measure(20_000, send));

const stop = BeforeSend.subscribe((context, next) => next(context));
add('a send over dummy, one BeforeSend', await measure(20_000, send));
stop();

const ignore = (): void => {};
subscribe('tracing:amsdal-mail:send:start', ignore);
add('a send over dummy, traced', await measure(20_000, send));
unsubscribe('tracing:amsdal-mail:send:start', ignore);

report('events', rows);
if (asked >= 1) {
  console.error(`hooks and tracing that nobody uses cost ${asked.toFixed(3)} us a mail: more than 1 us`);
  process.exitCode = 1;
}
