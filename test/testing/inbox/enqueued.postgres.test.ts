import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Outbox } from '../../../src/connection/outbox.ts';
import { createInbox } from '../../../src/testing/inbox/inbox.ts';
import { mailMatchers } from '../../../src/testing/vitest.ts';
import { newStore, transaction } from '../../outbox/postgres-subject.ts';
import { Postgres } from '../../servers/postgres.ts';

expect.extend(mailMatchers);

let server: Postgres;
let pool: Pool;
beforeAll(async () => {
  server = await Postgres.start();
  pool = server.pool({ max: 5 });
  await pool.query('CREATE TABLE account (email text PRIMARY KEY)');
});
afterAll(async () => {
  await pool?.end();
  await server?.stop();
});

test('a product’s test: a sign-up and its mail exist together, or not at all', async () => {
  const inbox = createInbox();
  const outbox = new Outbox({ store: await newStore(pool), connection: inbox });
  const signUp = (email: string) =>
    transaction(pool, async (tx) => {
      const welcome = { subject: 'Welcome!', body: 'Hello', fromEmail: 'shop@example.com', to: email };
      await outbox.enqueue(welcome, { tx });
      await tx.query('INSERT INTO account VALUES ($1)', [email]);
    });

  await signUp('jane@example.org');
  await expect(outbox).toHaveEnqueued({ to: 'jane@example.org', lane: 'transactional' });
  expect(inbox).toHaveSentNothing();
  await outbox.flush();
  expect(inbox).toHaveSentTimes(1, { to: 'jane@example.org' });

  await expect(signUp('jane@example.org')).rejects.toThrow('duplicate key');
  await expect(outbox).not.toHaveEnqueued();
  await outbox.flush();
  expect(inbox).toHaveSentTimes(1);
  await outbox.close();
});
