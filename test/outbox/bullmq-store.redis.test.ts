import type { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { outboxStoreContract } from '../../src/outbox/contract.ts';
import { bullmqStore } from '../../src/outbox/stores/bullmq.ts';
import { Redis } from '../servers/redis.ts';
import { advance, newName } from './bullmq-subject.ts';

let server: Redis;
let client: Client;
let otherClient: Client;

beforeAll(async () => {
  server = await Redis.start();
  client = server.client();
  otherClient = server.client();
});

afterAll(async () => {
  client?.disconnect();
  otherClient?.disconnect();
  await server?.stop();
});

describe('the store in Redis', () => {
  const cases = outboxStoreContract(() => {
    const name = newName();
    return {
      store: bullmqStore({ connection: client, name }),
      other: bullmqStore({ connection: otherClient, name }),
      advance: (ms) => advance(client, name, ms),
    };
  });
  for (const { name, run } of cases) it(name, run);
});

describe('the store in Redis, of a URL and without jobs', () => {
  const cases = outboxStoreContract(() => {
    const name = newName();
    return {
      store: bullmqStore({ connection: server.url, name, jobs: false }),
      advance: (ms) => advance(client, name, ms),
    };
  });
  for (const { name, run } of cases) it(name, run);
});
