import { expect, it } from 'vitest';
import { Postgres } from '../servers/postgres.ts';
import { runCli } from './run-cli.ts';

it('outbox migrate --run makes the tables that a worker misses', async () => {
  await using postgres = await Postgres.start();
  const { host, port, user, database } = postgres.config();
  const env = { AMSDAL_EMAIL_URL: `outbox:postgres://${user}@${host}:${port}/${database}?via=dummy` };
  const missing = { code: 1, stderr: expect.stringContaining('npx amsdal-mail outbox migrate') };
  expect(await runCli(['worker', '--once'], { env })).toMatchObject(missing);
  expect(await runCli(['outbox', 'migrate', '--run', '--json'], { env })).toMatchObject({
    code: 0,
    stdout: '{"migrated":true}\n',
  });
  expect(await runCli(['worker', '--once'], { env })).toMatchObject({ code: 0, stdout: '0 sent\n' });
});
