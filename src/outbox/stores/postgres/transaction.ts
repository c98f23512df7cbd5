import type { ClientPool, PostgresQuery } from './database.ts';

/** Runs statements in a transaction of their own. */
export async function inTransaction<T>(pool: ClientPool, work: (query: PostgresQuery) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  const ignore = () => {}; // the statement that is lost with the connection rejects
  client.on('error', ignore);
  let isUsable = false;
  try {
    await client.query('BEGIN', []);
    try {
      const result = await work((text, values) => client.query(text, values));
      await client.query('COMMIT', []);
      isUsable = true;
      return result;
    } catch (error) {
      isUsable = await client.query('ROLLBACK', []).then(
        () => true,
        () => false,
      );
      throw error;
    }
  } finally {
    if (isUsable) client.removeListener('error', ignore);
    client.release(!isUsable);
  }
}
