// @ts-check
// Sends one mail and ends: by itself, or by process.exit. See smtp-exit.test.ts.
import { argv, exit, stdout } from 'node:process';
import { getConnection } from 'amsdal-mail';

const [, , options = '{}', ending] = argv;
const connection = getConnection('smtp', { ...JSON.parse(options), idleMs: 600_000 });
const status = await connection.sendMessages([
  { fromEmail: 'a@example.com', to: 'b@example.org', subject: 'Last', body: 'Bye.' },
]);
stdout.write(String(status.isSuccess));
if (ending === 'exit') exit();
