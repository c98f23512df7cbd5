import { describe, expect, test } from 'vitest';
import { EmailBackend } from '../../src/backend/backend.ts';
import { askToCommit } from '../../src/backend/commit.ts';
import type { DeliveryResult, Job } from '../../src/backend/job.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { Attachment } from '../../src/model/attachment.ts';
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
    expect(EmailBackend.part(backend).awaitsCommit).toBe(true);
  });

  test('sends the mails of ordinary calls, where nobody is to be asked', async () => {
    const backend = new Asking();
    expect((await backend.sendMessages([MAIL])).isSuccess).toBe(true);
  });

  test('does not ask unless it says so', () => {
    expect(EmailBackend.part(new ProbeBackend()).awaitsCommit).toBe(false);
  });
});
