import type { Pool, PoolClient } from 'pg';
import type { NewMail } from '../../src/outbox/store.ts';
import { type PostgresStore, type PostgresStoreOptions, postgresStore } from '../../src/outbox/stores/postgres.ts';
import { earlierBucket } from './earlier-bucket.ts';

let count = 0;

/** A name of a schema that no other test of this process has. */
export function newSchema(): string {
  return `outbox ${++count} "of" the test's`;
}

/** A store with its tables, in a schema of its own. */
export async function newStore(pool: Pool, options: PostgresStoreOptions = {}): Promise<PostgresStore> {
  const store = postgresStore(pool, { schema: newSchema(), ...options });
  await store.migrate();
  return store;
}

/** A mail of which only what is given matters. */
export function mail(given: Partial<NewMail> = {}): NewMail {
  const id = `01${String(++count).padStart(24, '0')}`;
  return {
    ...{ id, key: null, lane: 'a', priority: 0, orderKey: null, messageId: null, dueAt: null, onDoubt: 'hold' },
    ...{ facts: `{"subject":"mail ${id}"}`, content: new TextEncoder().encode(`content ${id}`), blobs: [] },
    ...given,
  };
}

/** Makes time pass for the tables of a schema, as all that they hold was so much earlier. */
export async function advance(pool: Pool, schema: string, ms: number): Promise<void> {
  const at = `"${schema.replaceAll('"', '""')}"`;
  const earlier = (column: string) => `${column} = ${column} - ${ms} * interval '1 millisecond'`;
  const columns = {
    mail: ['due_at', 'created_at', 'changed_at', 'lease_until', 'repeat_until'],
    blob: ['used_at'],
    pause: ['until'],
  };
  for (const [table, names] of Object.entries(columns)) {
    await pool.query(`UPDATE ${at}.outbox_${table} SET ${names.map(earlier).join(', ')}`);
  }
  const { rows } = await pool.query<{ name: string; kept: string }>(`SELECT name, kept FROM ${at}.outbox_bucket`);
  for (const { name, kept } of rows)
    await pool.query(`UPDATE ${at}.outbox_bucket SET kept = $2 WHERE name = $1`, [name, earlierBucket(kept, ms)]);
}

/** Runs work between BEGIN and COMMIT, or ROLLBACK where it rejects. */
export async function transaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}
