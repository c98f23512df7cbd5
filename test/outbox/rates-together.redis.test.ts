import { it } from 'vitest';
import { bullmqStore } from '../../src/outbox/stores/bullmq.ts';
import { Redis } from '../servers/redis.ts';
import { eightWorkers, restarts } from './rates-together.ts';

const AOF = ['--appendonly', 'yes', '--appendfsync', 'always'];

it('eight workers over one Redis keep to the rates of a lane, and all of them send', async () => {
  await using redis = await Redis.start(AOF);
  await eightWorkers(() => bullmqStore({ connection: { host: '127.0.0.1', port: redis.port } }));
});

it('workers and a Redis that writes to disk, killed and begun anew, go on counting', async () => {
  await using redis = await Redis.start(AOF);
  await restarts(redis.url, redis);
});
