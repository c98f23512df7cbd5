import { expect, it } from 'vitest';
import { getConnection } from '../../src/connection/connection.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { until } from '../servers/process.ts';
import { mail, setUp } from './outbox-set-up.ts';

it('a worker that is ended finishes what leaves, and begins nothing that its connection asked for ahead', async () => {
  const subjects: string[] = [];
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let tell = () => {};
  const taken = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const server = await SmtpServer.start({
    async onMessage({ bytes }) {
      subjects.push(/^Subject: (.+)\r$/m.exec(Buffer.from(bytes).toString())?.[1] ?? '');
      tell();
      await released;
      return undefined;
    },
  });
  const connection = getConnection('smtp', {
    ...{ host: '127.0.0.1', port: server.port, maxConnections: 1 },
    pipelining: false, // one mail after the other
  });
  const { outbox } = setUp({ connection });
  try {
    await outbox.enqueue(Array.from({ length: 20 }, (_, place) => mail({ subject: `${place}` })));
    const stop = new AbortController();
    const working = outbox.work({ signal: stop.signal });
    await taken;
    stop.abort();
    release();
    expect(await working).toEqual({ sent: 1, failed: 0, retried: 0, inDoubt: 0 });
    expect(subjects).toEqual(['0']);
    const left = (await outbox.list({ state: 'queued' })).map(({ subject, tries }) => `${subject}: ${tries}`);
    expect(left.toReversed()).toEqual(Array.from({ length: 19 }, (_, place) => `${place + 1}: 0`));
    expect(await outbox.flush()).toMatchObject({ sent: 19 });
    expect(subjects.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 20 }, (_, place) => `${place}`),
    );
  } finally {
    await outbox.close();
    await server.close();
  }
});

it('closing an outbox ends a worker that has no signal, and waits for one that ends by itself', async () => {
  const { outbox, dummy } = setUp({});
  const working = outbox.work();
  await outbox.enqueue(mail({}));
  await until(
    () => dummy.messages.length === 1,
    () => 'it was not sent',
  );
  await outbox.close();
  expect(await working).toMatchObject({ sent: 1 });
  await outbox.enqueue([mail({}), mail({})]);
  const flushing = outbox.flush({ concurrency: 1 });
  await outbox.close();
  expect(await flushing).toMatchObject({ sent: 2 });
});
