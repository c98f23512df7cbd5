import { getEventListeners, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EmailBackend } from '../../../src/backend/backend.ts';
import { DummyBackend } from '../../../src/backends/dummy.ts';
import { FileBackend } from '../../../src/backends/file.ts';
import { SesBackend } from '../../../src/backends/ses.ts';
import { SmtpBackend } from '../../../src/backends/smtp.ts';
import { sendMail } from '../../../src/connection/send.ts';
import { createInbox } from '../../../src/testing/inbox/inbox.ts';
import { ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';

let server: ScriptedSmtpServer;
const folder = mkdtempSync(join(tmpdir(), 'one-signal-'));
const warnings: string[] = [];
const onWarning = ({ name }: Error) => void warnings.push(name);

beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.close();
});
beforeEach(() => void process.on('warning', onWarning));
afterEach(() => {
  process.off('warning', onWarning);
  warnings.length = 0;
  server.reset();
});

/** SES that answers in a later turn. */
const client = {
  async send(command: object): Promise<unknown> {
    await nextTurn();
    if (command.constructor.name === 'GetAccountCommand') return { SendQuota: { MaxSendRate: 10_000 } };
    return { MessageId: 'id' };
  },
};

const backends: readonly (readonly [string, () => EmailBackend])[] = [
  ['dummy', () => new DummyBackend()],
  ['file', () => new FileBackend({ path: folder })],
  ['smtp', () => new SmtpBackend({ host: server.host, port: server.port, maxConnections: 20, maxInFlight: 1 })],
  ['ses', () => new SesBackend({ client })],
  [
    'inbox with a delay',
    () => {
      const inbox = createInbox();
      inbox.delay(5);
      return inbox;
    },
  ],
];

test.each(backends)('one signal over fifty mails at once, %s: no warning, nothing left on it', async (_, make) => {
  await using connection = make();
  const { signal } = new AbortController();
  const statuses = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      sendMail({
        subject: 's',
        message: 'b',
        fromEmail: 'a@x.org',
        recipientList: `to${index}@x.org`,
        connection,
        signal,
      }),
    ),
  );
  expect(statuses.every(({ isSuccess }) => isSuccess)).toBe(true);
  await nextTurn(); // warnings are told in a later turn
  expect(warnings).toEqual([]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('one signal ends fifty mails that a silent server was given, without a warning', async () => {
  server.on('message', { delayMs: 60_000, reply: '250 Ok' });
  await using connection = new SmtpBackend({ host: server.host, port: server.port, maxConnections: 1 });
  const abort = new AbortController();
  const arrived = once(abort.signal, 'abort');
  const sending = Array.from({ length: 50 }, (_, index) =>
    connection
      .sendMessages([{ subject: 's', body: 'b', fromEmail: 'a@x.org', to: `to${index}@x.org` }], abort)
      .catch((error: unknown) => error),
  );
  await nextTurn();
  abort.abort();
  await arrived;
  for (const error of await Promise.all(sending)) expect(error).toMatchObject({ code: 'aborted' });
  expect(warnings).toEqual([]);
  expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
});
