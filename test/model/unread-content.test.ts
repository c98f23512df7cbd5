import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NodemailerBackend } from '../../src/adapters/nodemailer/backend.ts';
import type { BackendOptions, EmailBackend } from '../../src/backend/backend.ts';
import { ConsoleBackend } from '../../src/backends/console.ts';
import { FileBackend } from '../../src/backends/file.ts';
import { SesBackend } from '../../src/backends/ses.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { MailboxBackend } from '../../src/mailbox/catch/mailbox-backend.ts';
import { startMailbox } from '../../src/mailbox/mailbox.ts';
import type { AttachmentContent } from '../../src/model/attachment.ts';
import { EmailError } from '../../src/model/errors.ts';
import { createInbox } from '../../src/testing/inbox/inbox.ts';

let folder = '';
let mailbox: Awaited<ReturnType<typeof startMailbox>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unread-content-'));
  mailbox = await startMailbox({ port: 0, smtpPort: null });
});
afterAll(async () => {
  await mailbox.close();
  await rm(folder, { recursive: true });
});

const handedOver: string[] = [];
const note = (what: string) => async () => {
  handedOver.push(what);
  return {};
};

const backends: readonly (readonly [string, (options: BackendOptions) => EmailBackend])[] = [
  ['file', (options) => new FileBackend({ ...options, path: folder })],
  [
    'console, raw',
    (options) => new ConsoleBackend({ ...options, raw: true, stream: new Writable({ write: note('console') }) }),
  ],
  ['ses', (options) => new SesBackend({ ...options, client: { send: note('ses') } })],
  ['nodemailer', (options) => new NodemailerBackend({ ...options, transport: { sendMail: note('nodemailer') } })],
  ['smtp', (options) => new SmtpBackend({ ...options, host: '127.0.0.1', port: 9 })],
  ['inbox', (options) => createInbox(options)],
  ['mailbox', (options) => new MailboxBackend({ ...options, port: Number(new URL(mailbox.url).port), smtpPort: 0 })],
];

const never: AttachmentContent = async function* () {
  await new Promise(() => {});
  yield new Uint8Array();
};
// biome-ignore lint/correctness/useYield: it fails before it gives anything
const broken: AttachmentContent = async function* () {
  throw new Error('the disk is gone');
};

async function outcomeOf(backend: EmailBackend, content: AttachmentContent, signal?: AbortSignal) {
  const mail = { fromEmail: 'a@x.org', to: ['b@x.org'], subject: 's', body: 'b', attachments: [{ content }] };
  try {
    await backend.sendMessages([mail], { ...(signal && { signal }) });
  } catch (error) {
    if (!(error instanceof EmailError)) throw error;
    const { code, outcome, status } = error;
    return { code, outcome, status: status?.recipients.get('b@x.org')?.status };
  }
  return null;
}

describe.each(backends)('over %s', (_, make) => {
  test('a signal ends the reading of an attachment that gives nothing', async () => {
    const outcome = await outcomeOf(make({}), never, AbortSignal.timeout(20));
    expect(outcome).toEqual({ code: 'aborted', outcome: 'not-sent', status: 'failed' });
  });

  test('so does the deadline, and the mail is certainly not sent', async () => {
    const outcome = await outcomeOf(make({ deadlineMs: 20 }), never);
    expect(outcome).toEqual({ code: 'timeout', outcome: 'not-sent', status: 'failed' });
  });

  test('one that never ends is not read on after the call, and is closed', async () => {
    let onClosed = (): void => {};
    const closed = new Promise<void>((resolve) => {
      onClosed = resolve;
    });
    const endless: AttachmentContent = async function* () {
      try {
        for (;;) {
          await new Promise((resolve) => setImmediate(resolve));
          yield new Uint8Array(1);
        }
      } finally {
        onClosed();
      }
    };
    const outcome = await outcomeOf(make({ deadlineMs: 20 }), endless);
    expect(outcome).toEqual({ code: 'timeout', outcome: 'not-sent', status: 'failed' });
    await closed;
  });

  test('an attachment that cannot be read is why the mail is not sent', async () => {
    const outcome = await outcomeOf(make({}), broken);
    expect(outcome).toEqual({ code: 'source', outcome: 'not-sent', status: 'failed' });
  });
});

test('nothing of these mails was handed over', async () => {
  expect(handedOver).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
});
