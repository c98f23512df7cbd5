import { it } from 'vitest';
import { Redis } from '../servers/redis.ts';
import { TIMEOUT_MS } from './kill-plans.ts';
import { killWithServer } from './kill-server-trial.ts';

it(
  'loses and doubles no mail in Redis when producers, workers with wrong clocks and Redis are killed, and lists every doubt',
  async () => {
    await using redis = await Redis.start();
    await killWithServer('redis', redis.url, redis);
  },
  TIMEOUT_MS,
);
