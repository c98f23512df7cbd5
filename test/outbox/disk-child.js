// @ts-check
// Writes mails down, ten at once, until it cannot, or has written COUNT: says their ids, and then why.
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { env } from 'node:process';

/** What is built; its types are those of the sources. @type {(name: string) => string} */
const dist = (name) => new URL(`../../dist/${name}.js`, import.meta.url).href;
/** @type {Pick<typeof import('../../src/connection/outbox.ts'), 'Outbox'>} */
const { Outbox } = await import(dist('connection/outbox'));

const { STORE = '', COUNT = '100000' } = env;
try {
  const outbox = new Outbox({ store: STORE, connection: 'dummy' });
  for (let place = 0; place < Number(COUNT); place += 10) {
    const mails = Array.from({ length: 10 }, () => ({
      ...{ subject: 'Hi', fromEmail: 'shop@example.com', to: 'jane@example.org' },
      body: randomBytes(1_500).toString('hex'),
    }));
    for (const { id } of await outbox.enqueue(mails)) writeSync(1, `${id}\n`);
  }
  await outbox.close();
} catch (error) {
  const { name, code, message, retryable, outcome } = /** @type {any} */ (error); // an EmailError
  writeSync(1, `error ${JSON.stringify({ name, code, message, retryable, outcome })}\n`);
}
process.exit();
