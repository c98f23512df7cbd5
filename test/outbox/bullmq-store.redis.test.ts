import { createClient } from '@redis/client';
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

describe('the store in Redis, over a client of node-redis', () => {
  const nodeClient = () => createClient({ url: server.url });
  let clients: readonly ReturnType<typeof nodeClient>[];
  beforeAll(async () => {
    clients = [nodeClient(), nodeClient()];
    await Promise.all(clients.map((each) => each.connect()));
    for (const each of clients) each.setMaxListeners(0); // each store listens
  });
  afterAll(() => clients.forEach((each) => void each.destroy()));

  const cases = outboxStoreContract(() => {
    const name = newName();
    const [store, other] = clients.map((connection) => bullmqStore({ connection, name }));
    if (store === undefined || other === undefined) throw new Error('two clients');
    return { store, other, advance: (ms) => advance(client, name, ms) };
  });
  for (const { name, run } of cases) it(name, run);
});
