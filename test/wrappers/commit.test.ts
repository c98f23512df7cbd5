import { describe, expect, test } from 'vitest';
import { EmailBackend } from '../../src/backend/backend.ts';
import { askToCommit } from '../../src/backend/commit.ts';
import { type DeliveryResult, failedDelivery, type Job } from '../../src/backend/job.ts';
import { Part } from '../../src/backend/part.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { EmailConnectionError } from '../../src/model/errors.ts';
import { FailoverBackend } from '../../src/wrappers/failover.ts';
import { MirrorBackend } from '../../src/wrappers/mirror.ts';
import { RateLimitBackend } from '../../src/wrappers/rate-limit.ts';
import { RetryBackend } from '../../src/wrappers/retry.ts';
import { RoundRobinBackend } from '../../src/wrappers/round-robin.ts';
import { CommitTrial, errorsOf, outcomes, WITHHELD } from '../commit-trial.ts';
import { ProbeBackend, sent } from '../probe-backend.ts';

/** A connection that asks, as the built-in ones do, and then does what a test says. */
class Asking extends EmailBackend {
  readonly name = 'asking';
  protected readonly features: ReadonlySet<never> = new Set<never>();
  protected override readonly awaitsCommit = true;
  protected override readonly concurrency = 10;
  readonly delivered: string[] = [];
  readonly #deliver: (job: Job, count: number) => DeliveryResult;
  #count = 0;

  constructor(deliver: (job: Job, count: number) => DeliveryResult = sent, options = {}) {
    super(options);
    this.#deliver = deliver;
  }

  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    const withheld = await askToCommit(job);
    if (withheld !== null) return withheld;
    this.delivered.push(job.message.subject);
    return this.#deliver(job, ++this.#count);
  }
}

const down = (job: Job) => failedDelivery(job, new EmailConnectionError('connection', 'down', { retryable: true }));
const MAILS = ['a', 'b', 'c'].map((name) => ({
  subject: name,
  body: 'text',
  fromEmail: 'shop@x.org',
  to: `${name}@x.org`,
}));
const QUICK = { baseMs: 1, maxMs: 1 };

const WAYS: readonly [string, () => EmailBackend][] = [
  [
    'retry',
    () => new RetryBackend({ connections: [new Asking((job, n) => (n < 3 ? down(job) : sent(job)))], ...QUICK }),
  ],
  ['failover', () => new FailoverBackend({ connections: [new Asking(down), new Asking()] })],
  ['round-robin', () => new RoundRobinBackend({ connections: [new Asking(down), new Asking()] })],
  ['rate-limit', () => new RateLimitBackend({ connections: [new Asking()], perSecond: 1_000 })],
  ['mirror', () => new MirrorBackend({ connections: [new Asking(), new Asking()] })],
  [
    'retry in failover in rate-limit',
    () => {
      const retry = new RetryBackend({ connections: [new Asking(down)], attempts: 2, ...QUICK });
      const failover = new FailoverBackend({ connections: [retry, new Asking()] });
      return new RateLimitBackend({ connections: [failover], perSecond: 1_000 });
    },
  ],
  [
    'a connection with a deadline',
    () => new FailoverBackend({ connections: [new Asking(sent, { deadlineMs: 60_000 })] }),
  ],
];

describe.each(WAYS)('over %s', (_, make) => {
  test('a mail is asked for once, whatever the number of tries', async () => {
    const trial = new CommitTrial();
    const backend = make();
    expect(outcomes(await trial.deliver(backend, MAILS))).toEqual(['sent', 'sent', 'sent']);
    expect(trial.counts).toEqual({ 0: 1, 1: 1, 2: 1 });
    await backend.close();
  });

  test.each([
    ['a no', false],
    ['a failure', new Error('gone')],
  ])('a mail that is withheld by %s is tried nowhere else', async (__, answer) => {
    const trial = new CommitTrial((index) => (index === 1 ? answer : true));
    const backend = make();
    const results = await trial.deliver(backend, MAILS);
    expect(errorsOf(results)).toMatchObject([null, WITHHELD, null]);
    expect(results[1]?.recipients.get('b@x.org')?.tries).toMatchObject([{ status: 'failed', code: 'aborted' }]);
    expect(trial.counts).toEqual({ 0: 1, 1: 1, 2: 1 });
    await backend.close();
  });

  test('its mails are asked for by the connections', () => {
    expect(new Part(make()).awaitsCommit).toBe(true);
  });
});

test('a wrapper of a connection that does not ask does not either', () => {
  const { awaitsCommit } = new Part(new FailoverBackend({ connections: [new Asking(), new ProbeBackend()] }));
  expect(awaitsCommit).toBe(false);
});

test('nobody is asked for the copies of a mirror, which need not ask', async () => {
  const copies = new ProbeBackend();
  const given: Job[] = [];
  const kept = new ProbeBackend(async function* (jobs) {
    for await (const job of jobs) {
      given.push(job);
      yield sent(job);
    }
  });
  const mirror = new MirrorBackend({ connections: [new DummyBackend(), kept] });
  const trial = new CommitTrial();
  expect(outcomes(await trial.deliver(mirror, MAILS.slice(0, 1)))).toEqual(['sent']);
  await expect.poll(() => given.length).toBe(1);
  expect(given[0]?.beforeCommit).toBeUndefined();
  expect(trial.asked).toEqual([[0]]);
  expect(new Part(mirror).awaitsCommit).toBe(true);
  expect(new Part(new MirrorBackend({ connections: [copies, new DummyBackend()] })).awaitsCommit).toBe(false);
});
