import { createHook } from 'node:async_hooks';
import { expect, test } from 'vitest';
import type { EmailBackend } from '../../src/backend/backend.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { failover, mirror, rateLimit, retry, roundRobin, route, weighted } from '../../src/connection/wrappers.ts';
import { EmailMessage } from '../../src/model/message.ts';

const dummy = new DummyBackend();
const WRAPPERS: readonly (readonly [string, EmailBackend])[] = [
  ['failover', failover([dummy, new DummyBackend()])],
  ['round-robin', roundRobin([dummy, new DummyBackend()])],
  [
    'weighted',
    weighted([
      { connection: dummy, weight: 1 },
      { connection: new DummyBackend(), weight: 1 },
    ]),
  ],
  ['route', route(() => dummy, [dummy])],
  ['mirror', mirror(dummy, new DummyBackend())],
  ['retry', retry(dummy)],
  ['rate-limit', rateLimit(dummy, '1000000/s')],
];

function mailTo(count: number): EmailMessage {
  const to = Array.from({ length: count }, (_, place) => `reader-${place}@example.org`);
  return new EmailMessage({ subject: 's', body: 'b', fromEmail: 'shop@example.com', to });
}

/** How many promises the sending of a mail makes. */
async function promisesOf(connection: EmailBackend, mail: EmailMessage): Promise<number> {
  await connection.sendMessages([mail]); // what is loaded with the first
  let count = 0;
  const hook = createHook({
    init: (_, type) => {
      if (type === 'PROMISE') count++;
    },
  });
  hook.enable();
  await connection.sendMessages([mail]);
  hook.disable();
  return count;
}

test.each(WRAPPERS)('%s makes no promise for each recipient', async (_, connection) => {
  const forOne = await promisesOf(connection, mailTo(1));
  expect(forOne).toBeGreaterThan(0);
  expect(await promisesOf(connection, mailTo(100))).toBe(forOne);
});
