// @ts-check
// A blocking call whose worker thread runs out of memory, and one after it. See blocking.test.ts.
import { argv, stdout } from 'node:process';
import { getConnection } from 'amsdal-mail';

// Looking more often takes a dead worker for dead sooner.
const { wait } = Atomics;
Object.assign(Atomics, {
  /** @type {(signal: Int32Array, index: number, value: number, timeout: number) => string} */
  wait: (signal, index, value, timeout) => wait(signal, index, value, Math.min(timeout, 200)),
});

const [, , backends] = argv;
const message = { subject: 'Hello', body: 'x', fromEmail: 'a@x.org', to: 'b@x.org' };
try {
  getConnection(`${backends}#RunsOutOfMemory`).sendMessagesSync([message]);
} catch (error) {
  const { code, outcome, status } = /** @type {import('amsdal-mail').EmailError} */ (error);
  const recipient = status?.recipients.get('b@x.org');
  stdout.write(JSON.stringify([code, outcome, recipient?.status]));
}
stdout.write(String(getConnection(`${backends}#Echo`).sendMessagesSync([message]).isSuccess));
