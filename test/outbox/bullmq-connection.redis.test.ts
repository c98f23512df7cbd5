import { inspect } from 'node:util';
import { createClient } from '@redis/client';
import { createNodeRedisClient } from 'bullmq';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Outbox } from '../../src/connection/outbox.ts';
import { mail, settlement } from '../../src/outbox/contract-mails.ts';
import { type BullmqStoreOptions, bullmqStore } from '../../src/outbox/stores/bullmq.ts';
import { openStore } from '../../src/outbox/stores/open-store.ts';
import { until } from '../servers/process.ts';
import { Redis } from '../servers/redis.ts';
import { claim, newName } from './bullmq-subject.ts';

let server: Redis;

beforeAll(async () => {
  server = await Redis.start();
});

afterAll(() => server?.stop());

async function withServer(settings: readonly string[], work: (own: Redis) => Promise<void>): Promise<void> {
  await using own = await Redis.start(settings);
  await work(own);
}

describe('options that cannot be used', () => {
  it.each([
    [{ connection: 'http://127.0.0.1' }, 'connection'],
    [{ connection: null }, 'connection'],
    [{ connection: {}, name: 'a:b' }, 'name'],
    [{ connection: {}, name: '' }, 'name'],
  ])('%o are refused', (options, option) => {
    const given = options as BullmqStoreOptions; // null is none
    expect(() => bullmqStore(given)).toThrowError(expect.objectContaining({ code: 'invalid-option', option }));
  });

  it.each([
    ['redis://127.0.0.1?nmae=x', 'unknown-option', 'nmae'],
    ['redis://127.0.0.1?jobs=maybe', 'invalid-option', 'jobs'],
    ['rediss://user:secret@127.0.0.1?name=a:b', 'invalid-option', 'name'],
  ])('as the text %s', (text, code, option) => {
    expect(() => openStore(text)).toThrowError(expect.objectContaining({ code, option }));
    expect(() => openStore(text)).not.toThrow(/secret/);
  });

  it('opens by a text what code opens by options', async () => {
    const name = newName();
    const text = `outbox:${server.url}?name=${name}&prefix=other&jobs=false&via=dummy`;
    const outbox = new Outbox({ store: text.slice(7).replace('&via=dummy', ''), connection: 'dummy' });
    const [written] = await outbox.enqueue({
      subject: 'Hi',
      body: 'x',
      fromEmail: 'a@example.com',
      to: 'b@example.org',
    });
    const store = bullmqStore({ connection: { port: server.port }, name, prefix: 'other' });
    expect(await store.query('mail', { id: written?.id ?? '' })).toMatchObject({ state: 'queued' });
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
    await Promise.all([store.close(), outbox.close()]);
  });
});

describe('a Redis that may lose mails', () => {
  it('is refused when it deletes what it likes, once it is full', () =>
    withServer(['--maxmemory-policy', 'allkeys-lru'], async ({ url }) => {
      const store = bullmqStore({ connection: url });
      const refused = { code: 'invalid-option', message: /set maxmemory-policy noeviction, it is allkeys-lru/ };
      await expect(store.enqueue([mail()], {})).rejects.toMatchObject(refused);
      await expect(claim(store)).rejects.toMatchObject(refused);
      await store.close();
    }));

  it('is warned of when it writes nothing to disk', () =>
    withServer([], async ({ url }) => {
      const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
      const store = bullmqStore({ connection: url });
      await store.enqueue([mail()], {});
      await store.enqueue([mail()], {});
      expect(warn.mock.calls.map(([text]) => text)).toEqual([expect.stringContaining('set appendonly yes')]);
      warn.mockRestore();
      await store.close();
    }));

  it('writes nothing halfway when it is full', () =>
    withServer(['--maxmemory', '4mb'], async (own) => {
      const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
      const store = bullmqStore({ connection: own.url });
      const large = () => mail({ content: new Uint8Array(100_000).fill(65) });
      let written = 0;
      const full = { code: 'connection', retryable: true, outcome: 'not-sent', message: /Redis answered OOM/ };
      await expect(async () => {
        for (; written < 1_000; written += 2) await store.enqueue([large(), large()], {});
      }).rejects.toMatchObject(full);
      const counts = await store.query('counts', {});
      expect(counts).toMatchObject([{ lane: 'a', state: 'queued', count: written }]);
      const error = await store.enqueue([large()], {}).catch((thrown: Error) => thrown);
      expect(inspect(error, { depth: null }), 'and tells nothing of a mail').not.toMatch(/AAAA|subject/);
      expect(await store.query('list', { limit: 1_000 })).toHaveLength(written);
      await expect(store.mark([{ id: 'none', fence: 1, request: null, repeatMs: 0 }]), 'and reads on').resolves.toEqual(
        [],
      );
      warn.mockRestore();
      await store.close();
    }));
});

describe('a server that goes away', () => {
  it('is used again once it is back, with all that was written down', async () => {
    await using own = await Redis.start();
    const store = bullmqStore({ connection: own.url });
    const kept = mail();
    await store.enqueue([kept], {});
    await own.end('SIGKILL');
    await expect(claim(store)).rejects.toMatchObject({ name: 'EmailConnectionError', cause: expect.anything() });
    await own.launch();
    let claimed: readonly string[] = [];
    await until(
      async () => {
        claimed = (await claim(store).catch(() => [])).map(({ id }) => id);
        return claimed.length > 0;
      },
      () => 'nothing was claimed',
    );
    expect(claimed).toEqual([kept.id]);
    await store.close();
  });

  it('is said to be away when it was never there', async () => {
    const own = await Redis.start();
    await own.stop();
    const store = bullmqStore({ connection: { port: own.port, retryStrategy: () => null } });
    const failing = store.enqueue([mail()], {});
    const message = 'the outbox could not write mails down: no connection to Redis (ECONNREFUSED)';
    await expect(failing).rejects.toMatchObject({ code: 'refused', retryable: true, outcome: 'not-sent', message });
    await store.close();
  });

  it('says nothing of who logs in, and with what', () =>
    withServer(['--requirepass', 'the password'], async ({ port }) => {
      const store = bullmqStore({ connection: `redis://someone:a-secret@127.0.0.1:${port}/0` });
      const error = await store.enqueue([mail()], {}).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ name: 'EmailConnectionError', code: 'auth', outcome: 'not-sent' });
      expect(String(error)).toContain('no connection to Redis (WRONGPASS)');
      expect(String(error)).not.toMatch(/secret|someone|127/);
      expect(inspect(error, { depth: null }), 'nor its cause').not.toMatch(/secret|someone/);
      await store.close();
    }));

  it('is back at what it had on disk, where nothing is sent that was not, and no claim as it was', async () => {
    await using own = await Redis.start();
    const client = own.client();
    const store = bullmqStore({ connection: client });
    const [one, two] = [mail(), mail()];
    await store.enqueue([one, two], {});
    const copy = await own.written();
    const [first, second] = await claim(store);
    if (first === undefined || second === undefined) throw new Error('two were claimed');
    await store.mark([first]);
    await store.settle([settlement(first, 'sent')]);
    await own.forget(copy);
    await until(
      () => Promise.resolve(client.status === 'ready'),
      () => client.status,
    );
    const states = (await store.query('list', { limit: 5 })).map(({ id, state }) => [id, state]);
    expect(states).toEqual([two, one].map(({ id }) => [id, 'queued']));
    const again = await claim(store);
    expect(again.map(({ id }) => id)).toEqual([one.id, two.id]);
    expect(await store.mark([second]), 'it is of another claim').toEqual([]);
    expect(await store.settle([settlement(second, 'queued')])).toEqual([]);
    expect(await store.mark(again)).toHaveLength(2);
    await store.close();
    client.disconnect();
  });

  it('takes a list again that it may have written down before, and changes nothing', async () => {
    const store = bullmqStore({ connection: server.url, name: newName() });
    const [one, two] = [mail({ key: 'k' }), mail()];
    await store.enqueue([one, two], {});
    const held = await claim(store);
    await store.mark(held);
    const again = await store.enqueue([one, two], {});
    expect(again).toEqual([one, two].map(({ id }) => ({ id, isDuplicate: false })));
    expect(await store.query('mail', { id: two.id })).toMatchObject({ state: 'sending' });
    expect(await claim(store)).toEqual([]);
    await store.close();
  });
});

/** Turns the mails of an outbox into hashes, as those of its first version were. */
const TO_FIRST_VERSION = `
for _, key in ipairs(redis.call('KEYS', KEYS[1] .. 'm:*')) do
  local m, fields = cmsgpack.unpack(redis.call('GET', key)), {}
  m.job, m.id, m.lease = m.job and 1 or 0
  for field, value in pairs(m) do fields[#fields + 1], fields[#fields + 2] = field, value end
  redis.call('DEL', key)
  redis.call('HSET', key, unpack(fields))
end
redis.call('SET', KEYS[1] .. 'version', 1)`;

describe('versions and clusters', () => {
  it('refuses an outbox of a later version', async () => {
    const name = newName();
    const client = server.client();
    await client.set(`bull:${name}:outbox:version`, 3);
    const store = bullmqStore({ connection: client, name });
    await expect(claim(store)).rejects.toMatchObject({ code: 'invalid-option', message: /of version 3.*update it/ });
    await store.close();
    expect(client.status, 'whose client stays open').toBe('ready');
    client.disconnect();
  });

  it('goes on with the mails of an outbox of the first version, as they were', async () => {
    const name = newName();
    const client = server.client();
    const store = bullmqStore({ connection: client, name });
    const mails = Array.from({ length: 4 }, () => mail());
    await store.enqueue(mails, {});
    const [sent, sending, claimed] = await claim(store, 3);
    if (sent === undefined || sending === undefined || claimed === undefined) throw new Error('three were claimed');
    await store.mark([sent, { ...sending, request: 'r', repeatMs: 60_000 }]);
    await store.settle([settlement(sent, 'sent')]);
    const before = await store.query('list', { limit: 5 });
    await store.close();
    await client.eval(TO_FIRST_VERSION, 1, `bull:${name}:outbox:`);
    const later = bullmqStore({ connection: client, name });
    expect(await later.query('list', { limit: 5 })).toEqual(before);
    expect(await later.mark([claimed]), 'its lease goes on').toHaveLength(1);
    expect(await later.settle([sending, claimed].map((held) => settlement(held, 'sent')))).toHaveLength(2);
    expect((await claim(later)).map(({ id }) => id)).toEqual([mails[3]?.id]);
    expect(await client.get(`bull:${name}:outbox:version`)).toBe('2');
    await later.close();
    client.disconnect();
  });

  it('tells that a client of node-redis was closed under a call', async () => {
    const client = createNodeRedisClient(createClient({ url: server.url }));
    const store = bullmqStore({ connection: client, name: newName() });
    await claim(store);
    const claiming = claim(store);
    await Promise.resolve(); // the call is under way
    client.disconnect();
    await expect(claiming).rejects.toMatchObject({ name: 'EmailConnectionError', outcome: 'unknown' });
    await expect(claim(store)).rejects.toMatchObject({ name: 'EmailConnectionError', outcome: 'not-sent' });
    await store.close();
  });

  it('needs a prefix in braces in a Redis Cluster', () =>
    withServer(
      ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--appendonly', 'yes'],
      async (own) => {
        const client = own.client();
        await client.cluster('ADDSLOTSRANGE', 0, 16_383);
        await until(
          async () => /cluster_state:ok/.test(String(await client.cluster('INFO'))),
          () => 'the cluster does not come up',
        );
        client.disconnect();
        const cluster = new Cluster([{ host: '127.0.0.1', port: own.port }]);
        const refused = bullmqStore({ connection: cluster });
        await expect(claim(refused)).rejects.toMatchObject({ code: 'invalid-option', option: 'prefix' });
        const store = bullmqStore({ connection: cluster, prefix: '{bull}' });
        const written = mail({ key: 'k', orderKey: 'o', blobs: [{ hash: 'h', bytes: new Uint8Array([255]) }] });
        await store.enqueue([written], {});
        expect(await store.mark(await claim(store))).toMatchObject([{ id: written.id }]);
        await Promise.all([store.close(), refused.close()]);
        cluster.disconnect();
      },
    ));
});

describe('who waits', () => {
  it('is woken by what another process has written down', async () => {
    const name = newName();
    const [store, other] = [1, 2].map(() => bullmqStore({ connection: server.url, name }));
    if (store === undefined || other === undefined) throw new Error('two stores');
    let woken = 0;
    other.wakers.add(() => void woken++);
    await claim(other);
    await until(
      () => Promise.resolve(woken > 0),
      () => 'it does not listen',
    );
    await store.enqueue([mail()], {});
    await until(
      () => Promise.resolve(woken > 1),
      () => `it was woken ${woken} times`,
    );
    const [held] = await claim(other);
    await Promise.all([store.close(), other.close()]);
    expect(held?.lane).toBe('a');
  });
});
