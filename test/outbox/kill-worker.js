// A worker that is to be killed: its store and server come from the environment; SIGTERM ends it in good order.
import { env } from 'node:process';
import { Outbox } from '../../dist/connection/outbox.js';
import { sqliteStore } from '../../dist/outbox/stores/sqlite.js';

const { STORE = '', VIA = '', NAIVE } = env;
const store = sqliteStore(STORE.replace('sqlite:', ''));
// As most queues do it: that a mail leaves is written down once it has left.
if (NAIVE === '1') store.mark = async (held) => held;
const outbox = new Outbox({ store, connection: VIA, leaseMs: 1_000 });
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.removeAllListeners('warning'); // of mails in doubt, which are counted
process.stdout.write('working\n');
await outbox.work({ signal: stop.signal, concurrency: 20 });
await outbox.close();
