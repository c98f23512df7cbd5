// What an outbox in Redis costs, beside BullMQ alone: npm run bench:outbox-redis
import { fileURLToPath } from 'node:url';
import { Queue, Worker } from 'bullmq';
import { bullmqStore } from '../src/outbox/stores/bullmq.ts';
import { Redis } from '../test/servers/redis.ts';
import { benchQueues, CONCURRENCY, DATA, hasWorked, outboxSubject, type QueueSubject } from './queues.ts';

function bullmq(port: string, name: string): QueueSubject {
  const connection = { host: '127.0.0.1', port: Number(port) };
  const queue = new Queue(name, { connection, defaultJobOptions: { removeOnComplete: { age: 3_600 } } });
  let worker: Worker | undefined;
  return {
    add: async (count, isBulk) => {
      if (isBulk) await queue.addBulk(Array.from({ length: count }, () => ({ name: 'mail', data: DATA })));
      else for (let place = 0; place < count; place++) await queue.add('mail', DATA);
    },
    work: (onDone) => {
      worker = new Worker(name, async () => {}, { connection, concurrency: CONCURRENCY });
      worker.on('completed', () => onDone(1));
    },
    close: async () => {
      await worker?.close();
      await queue.close();
    },
  };
}

const outbox = (port: string, name: string, jobs: boolean) =>
  outboxSubject(bullmqStore({ connection: { host: '127.0.0.1', port: Number(port) }, name, jobs }));

const SUBJECTS = {
  'amsdal-mail': (port: string, name: string) => outbox(port, name, true),
  BullMQ: bullmq,
  'without jobs': (port: string, name: string) => outbox(port, name, false),
};

async function measure(fsync: string): Promise<void> {
  await using server = await Redis.start(['--appendonly', 'yes', '--appendfsync', fsync]);
  const client = server.client();
  const title = `An outbox in Redis, appendfsync ${fsync}`;
  await benchQueues(title, fileURLToPath(import.meta.url), SUBJECTS, String(server.port), () => client.flushall());
  client.disconnect();
}

if (!(await hasWorked(SUBJECTS))) {
  await measure('always');
  await measure('everysec');
}
