import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { getConnection } from 'amsdal-mail';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../servers/process.ts';

// What is built: a worker thread cannot load TypeScript.
const MAILBOX = fileURLToPath(new URL('../../dist/mailbox/index.js', import.meta.url));
const message = { subject: 'Hi', body: 'x', fromEmail: 'a@example.com', to: ['b@example.com'] };

/** Runs what posts the port it listens on, in a thread that this one does not block. */
async function serve(code: string): Promise<number> {
  const worker = new Worker(`const { parentPort } = require('node:worker_threads'); ${code}`, { eval: true });
  onTestFinished(async () => void (await worker.terminate()));
  const [port] = await once(worker, 'message');
  return port;
}

const caughtAt = async (port: number | string): Promise<string[]> => {
  const { messages } = await (await fetch(`http://127.0.0.1:${port}/api/messages`)).json();
  return messages.map(({ subject }: { readonly subject: string }) => subject);
};

test('a blocking call reaches the mailbox that runs already', async () => {
  const port = await serve(`import(${JSON.stringify(MAILBOX)})
    .then(({ startMailbox }) => startMailbox({ port: 0, smtpPort: null }))
    .then(({ url }) => parentPort.postMessage(Number(new URL(url).port)))`);
  const connection = getConnection('mailbox', { port, smtpPort: 0 });
  expect(connection.sendMessagesSync([{ ...message, subject: 'blocking' }]).isSuccess).toBe(true);
  expect(await caughtAt(port)).toEqual(['blocking']);
  connection.closeSync();
});

test.each([
  ['another web server', "response.end('{}')"],
  ['a program that never answers', 'null'],
])('nothing is called sent when %s holds the port', async (_, answer) => {
  const port = await serve(`const server = require('node:http').createServer((_, response) => ${answer});
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`);
  const connection = getConnection('mailbox', { port, smtpPort: 0 });
  const fault = new RegExp(`^mailbox: port ${port} is taken`);
  const error = expect.objectContaining({ name: 'ConfigurationError', message: expect.stringMatching(fault) });
  expect(() => connection.sendMessagesSync([message])).toThrow(error);
  connection.closeSync();
});

test('a first blocking call is caught where it says, and later calls come to the same mailbox', async () => {
  const [port = 0] = await freePorts(1);
  const connection = getConnection('mailbox', { port, smtpPort: 0 });
  const status = connection.sendMessagesSync([{ ...message, subject: 'first' }]);
  expect(status.recipients.get('b@example.com')?.response).toMatch(`caught: http://127.0.0.1:${port}/#`);
  await connection.sendMessages([{ ...message, subject: 'second' }]);
  expect(await caughtAt(port)).toEqual(['second', 'first']);
  await connection.close();
});

test('at a free port the address says which one it is', async () => {
  const connection = getConnection('mailbox', { port: 0, smtpPort: 0 });
  const status = connection.sendMessagesSync([message]);
  const [, port = ''] =
    /^caught: http:\/\/127\.0\.0\.1:(\d+)\/#/.exec([...status.recipients.values()][0]?.response ?? '') ?? [];
  expect(await caughtAt(port)).toEqual(['Hi']);
});
