import type { Redis as Client } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import type { ClaimedMail, OutboxStore } from '../../src/outbox/store.ts';
import { Redis } from '../servers/redis.ts';
import { earlierBucket } from './earlier-bucket.ts';

/** A Redis for the tests of a file, with a client of its own. */
export function redisForTests(): { readonly server: Redis; readonly client: Client } {
  const redis = {} as { server: Redis; client: Client }; // there before the first test
  beforeAll(async () => {
    redis.server = await Redis.start();
    redis.client = redis.server.client();
  });
  afterAll(async () => {
    redis.client?.disconnect();
    await redis.server?.stop();
  });
  return redis;
}

let count = 0;

/** A name of a queue that no other test of this process has. */
export function newName(): string {
  return `mail-${++count}`;
}

/** Claims of lane `a`. */
export async function claim(store: OutboxStore, limit = 10): Promise<readonly ClaimedMail[]> {
  const { mails } = await store.claim({ lanes: [{ lane: 'a', limit }], limit, leaseMs: 60_000 });
  return mails;
}

/** All times that an outbox holds, so much earlier. */
const EARLIER = `
local B, ms = KEYS[1], tonumber(ARGV[1])
local function zset(key)
  local all = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  for i = 1, #all, 2 do redis.call('ZADD', key, all[i + 1] - ms, all[i]) end
end
local function each(key, shift)
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do redis.call('HSET', key, all[i], shift(all[i + 1])) end
end
for _, key in ipairs({ 'later', 'leases', 'idle' }) do zset(B .. key) end
for _, key in ipairs(redis.call('KEYS', B .. 'in:*')) do zset(key) end
for _, key in ipairs(redis.call('KEYS', B .. 'm:*')) do
  local m = cmsgpack.unpack(redis.call('GET', key))
  for _, field in ipairs({ 'due', 'created', 'changed', 'till', 'lease' }) do m[field] = m[field] and m[field] - ms end
  redis.call('SET', key, cmsgpack.pack(m))
end
each(B .. 'used', function(at) return string.format('%d', at - ms) end)
each(B .. 'pauses', function(pause)
  local at, reason = string.match(pause, '(%S+) (.*)')
  return string.format('%d ', at - ms) .. reason
end)`;

/** Makes time pass for the mails of a queue. */
export async function advance(client: Client, name: string, ms: number): Promise<void> {
  await client.eval(EARLIER, 1, `bull:${name}:outbox:`, ms);
  const buckets = await client.hgetall(`bull:${name}:outbox:buckets`);
  for (const [bucket, kept] of Object.entries(buckets))
    await client.hset(`bull:${name}:outbox:buckets`, bucket, earlierBucket(kept, ms));
}
