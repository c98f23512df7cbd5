import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NodemailerBackend } from '../../src/adapters/nodemailer.ts';
import { EmailBackend } from '../../src/backend/backend.ts';
import { askToCommit } from '../../src/backend/commit.ts';
import type { DeliveryResult, Job } from '../../src/backend/job.ts';
import { Part } from '../../src/backend/part.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { FileBackend } from '../../src/backends/file.ts';
import { defaultConnection } from '../../src/connection/connection.ts';
import { MailboxBackend } from '../../src/mailbox/catch/mailbox-backend.ts';
import { startMailbox } from '../../src/mailbox/mailbox.ts';
import { Attachment } from '../../src/model/attachment.ts';
import { useInbox } from '../../src/testing/inbox/use-inbox.ts';
import { CommitTrial, errorsOf, outcomes, WITHHELD } from '../commit-trial.ts';
import { ProbeBackend, sent } from '../probe-backend.ts';

const MAIL = { subject: 'Hello', body: 'Thanks.', fromEmail: 'shop@example.com', to: 'jane@example.com' };

describe('what delivers without waiting', () => {
  async function* content(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode('late');
  }
  const late = new Attachment({ filename: 'a.txt', content });

  test.each([
    ['a mail', MAIL],
    ['a mail whose content is read', { ...MAIL, attachments: [late] }],
  ])('asks before it delivers %s, and delivers after a yes', async (_, mail) => {
    const dummy = new DummyBackend();
    const trial = new CommitTrial(() => null);
    const sending = trial.deliver(dummy, [mail]);
    await expect.poll(() => trial.asked).toEqual([[0]]);
    trial.answer(0, true);
    expect(outcomes(await sending)).toEqual(['sent']);
    expect(trial.asked).toEqual([[0]]);
  });

  test.each([
    ['a no', false],
    ['a failure', new Error('gone')],
  ])('delivers nothing after %s', async (_, answer) => {
    expect(errorsOf(await new CommitTrial(() => answer).deliver(new DummyBackend(), [MAIL]))).toMatchObject([WITHHELD]);
  });
});

describe('what tests and development send over', () => {
  const over = {
    nodemailer: () => nodemailer(),
    mailbox: () => mailbox(),
    inbox: () => switched(),
    file: () => file(),
  };

  test.each(Object.entries(over))(
    '%s asks last before it delivers, and delivers nothing after a no',
    async (_, make) => {
      const { connection, received, close } = await make();
      expect(new Part(connection).awaitsCommit).toBe(true);
      const trial = new CommitTrial(() => null);
      const sending = trial.deliver(connection, [MAIL, MAIL]);
      await expect.poll(() => trial.asked.flat()[0]).toBe(0);
      expect(await received()).toBe(0);
      trial.answer(0, false);
      await expect.poll(() => trial.asked.flat()[1]).toBe(1);
      trial.answer(1, true);
      const results = await sending;
      expect(outcomes(results)).toEqual(['failed aborted', 'sent']);
      expect(errorsOf(results)[0]).toMatchObject(WITHHELD);
      expect(trial.counts).toEqual({ 0: 1, 1: 1 });
      expect(await received()).toBe(1);
      await close();
    },
  );

  function nodemailer() {
    let count = 0;
    const sendMail = async () => {
      count++;
    };
    return { connection: new NodemailerBackend({ transport: { sendMail } }), received: () => count, close: () => {} };
  }

  async function mailbox() {
    const served = await startMailbox({ port: 0, smtpPort: null });
    const connection = new MailboxBackend({ port: Number(new URL(served.url).port) });
    const received = async () => {
      const listed: { readonly messages: readonly unknown[] } = await (
        await fetch(`${served.url}/api/messages`)
      ).json();
      return listed.messages.length;
    };
    return { connection, received, close: () => served.close() };
  }

  /** A mail is there once its file has its name. */
  async function file() {
    const folder = await mkdtemp(join(tmpdir(), 'commit-'));
    const received = async () => (await readdir(folder)).filter((name) => name.endsWith('.eml')).length;
    const close = async () => {
      const names = await readdir(folder);
      await rm(folder, { recursive: true });
      expect(names, 'what was withheld leaves nothing behind').toHaveLength(1);
    };
    return { connection: new FileBackend({ path: folder }), received, close };
  }

  /** What `useInbox` puts in the place of the default connection. */
  function switched() {
    const inbox = useInbox();
    return { connection: defaultConnection(), received: () => inbox.messages.length, close: () => inbox.close() };
  }
});

describe('a backend of your own', () => {
  class Asking extends EmailBackend {
    readonly name = 'asking';
    protected readonly features: ReadonlySet<never> = new Set<never>();
    protected override readonly awaitsCommit = true;
    readonly delivered: number[] = [];

    protected override async deliverOne(job: Job): Promise<DeliveryResult> {
      const withheld = await askToCommit(job);
      if (withheld !== null) return withheld;
      this.delivered.push(job.index);
      return sent(job);
    }
  }

  test('is told whom to ask, and says that it asks', async () => {
    const backend = new Asking();
    const results = await new CommitTrial((index) => index !== 1).deliver(backend, [MAIL, MAIL, MAIL]);
    expect(backend.delivered).toEqual([0, 2]);
    expect(outcomes(results)).toEqual(['sent', 'failed aborted', 'sent']);
    expect(new Part(backend).awaitsCommit).toBe(true);
  });

  test('sends the mails of ordinary calls, where nobody is to be asked', async () => {
    const backend = new Asking();
    expect((await backend.sendMessages([MAIL])).isSuccess).toBe(true);
  });

  test('does not ask unless it says so', () => {
    expect(new Part(new ProbeBackend()).awaitsCommit).toBe(false);
  });
});
