// @ts-check
// A worker that is to be killed: its store and server come from the environment; SIGTERM ends it in good order.
import { env } from 'node:process';

/** What is built; its types are those of the sources. @type {(name: string) => string} */
const dist = (name) => new URL(`../../dist/${name}.js`, import.meta.url).href;
/** @type {Pick<typeof import('../../src/connection/outbox.ts'), 'Outbox'>} */
const { Outbox } = await import(dist('connection/outbox'));
/** @type {Pick<typeof import('../../src/outbox/engine.ts'), 'openStore'>} */
const { openStore } = await import(dist('outbox/engine'));

const { STORE = '', VIA = '', NAIVE, CLOCK_MS = '0', LANES, LEASE_MS = '1000' } = env;
const { now } = Date;
Date.now = () => now() + Number(CLOCK_MS);
const store = openStore(STORE);
// As most queues do it: that a mail leaves is written down once it has left.
if (NAIVE === '1') store.mark = async (held) => held;
const outbox = new Outbox({
  ...{ store, connection: VIA, leaseMs: Number(LEASE_MS) },
  ...(LANES !== undefined && { lanes: JSON.parse(LANES) }),
});
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.removeAllListeners('warning'); // of mails in doubt, which are counted
process.stdout.write('working\n');
for (let isOver = false; !isOver; ) {
  // A store that is away when a worker begins ends it; whoever runs it starts it again.
  isOver = await outbox.work({ signal: stop.signal, concurrency: 20 }).then(
    () => true,
    (error) => {
      if (error.name !== 'EmailConnectionError') throw error;
      return new Promise((resolve) => setTimeout(() => resolve(stop.signal.aborted), 50));
    },
  );
}
await outbox.close();
