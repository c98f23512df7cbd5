// @ts-check
// Writes mails down, says the id of each as soon as it is written down, and dies at once after the last.
import { writeSync } from 'node:fs';
import { env } from 'node:process';

/** What is built; its types are those of the sources. @type {(name: string) => string} */
const dist = (name) => new URL(`../../dist/${name}.js`, import.meta.url).href;
/** @type {Pick<typeof import('../../src/connection/outbox.ts'), 'Outbox'>} */
const { Outbox } = await import(dist('connection/outbox'));

const { STORE = '', COUNT = '1' } = env;
const outbox = new Outbox({ store: STORE, connection: 'dummy' });
const body = 'a long text '.repeat(1_000); // kept apart
const mail = { subject: 'Hi', body, fromEmail: 'shop@example.com', to: 'jane@example.org' };
for (let place = 1; place <= Number(COUNT); place++) {
  const [written] = await outbox.enqueue({ ...mail, subject: `Mail ${place} of ${process.pid}` });
  writeSync(1, `${written?.id}\n`);
}
process.kill(process.pid, 'SIGKILL');
