import type { Arbitrary } from 'fast-check';
import { EmailBackend } from '../../src/backend/backend.ts';
import { type DeliveryContext, type DeliveryResult, failedDelivery, type Job } from '../../src/backend/job.ts';
import { EmailConnectionError, type EmailError, SendError } from '../../src/model/errors.ts';
import { type RecipientStatus, recipientStatus } from '../../src/model/status.ts';
import type { Clock } from '../../src/util/clock.ts';
import { FailoverBackend } from '../../src/wrappers/failover.ts';
import { MirrorBackend } from '../../src/wrappers/mirror.ts';
import { RateLimitBackend } from '../../src/wrappers/rate-limit.ts';
import { RetryBackend } from '../../src/wrappers/retry.ts';
import { RoundRobinBackend } from '../../src/wrappers/round-robin.ts';
import { RouteBackend } from '../../src/wrappers/route.ts';
import { WeightedBackend } from '../../src/wrappers/weighted.ts';
import { fc } from '../properties.ts';

/** What a provider does with one recipient of a mail. */
type Fate =
  | 'accepts'
  | 'refuses'
  | 'refuses for now'
  | 'blocks the account'
  | 'accepts, and the answer is lost'
  | 'does not accept, and nobody knows'
  | 'accepts, and does not tell'
  | 'does not accept, and does not tell';

/** What a connection does with a whole job, before its recipients have fates. */
type Mood = 'works' | 'is not reached' | 'throws' | 'ends without an answer' | 'is silent' | 'stops when told';

/** The script of a leaf; it is gone through again and again. */
interface Script {
  readonly kind: 'leaf';
  readonly moods: readonly Mood[];
  readonly fates: readonly Fate[];
  readonly deadlineMs: number | null;
}

/** A tree of wrappers. */
export type Tree = Script | { readonly kind: Wrapper; readonly parts: readonly Tree[] };

type Wrapper = 'failover' | 'round-robin' | 'weighted' | 'route' | 'mirror' | 'retry' | 'rate-limit';

const MOODS: readonly Mood[] = ['is not reached', 'throws', 'ends without an answer', 'stops when told', 'is silent'];
const FATES: readonly Fate[] = [
  'refuses',
  'refuses for now',
  'blocks the account',
  'accepts, and the answer is lost',
  'does not accept, and nobody knows',
  'accepts, and does not tell',
  'does not accept, and does not tell',
];
const BOTH: readonly Wrapper[] = ['failover', 'round-robin', 'weighted', 'route', 'mirror'];
const ONE: readonly Wrapper[] = ['retry', 'rate-limit'];

const leaf: Arbitrary<Script> = fc.record({
  kind: fc.constant('leaf' as const),
  moods: fc.array(
    fc.oneof(
      { weight: 30, arbitrary: fc.constant('works' as const) },
      { weight: 10, arbitrary: fc.constantFrom(...MOODS.slice(0, 3)) },
      { weight: 1, arbitrary: fc.constantFrom(...MOODS.slice(3)) },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  fates: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant('accepts' as const) },
      { weight: 4, arbitrary: fc.constantFrom(...FATES) },
    ),
    { minLength: 1, maxLength: 6 },
  ),
  deadlineMs: fc.oneof(
    { weight: 20, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }) },
  ),
});

export const tree: Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({ kind: fc.constantFrom(...BOTH), parts: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }) }),
    fc.record({ kind: fc.constantFrom(...ONE), parts: fc.tuple(tie('tree')) }),
  ),
})).tree;

/** What all providers of a tree have accepted: by recipient, the names of those who did. */
export type Ledger = Map<string, string[]>;

class Leaf extends EmailBackend {
  readonly name: string;
  protected readonly features = new Set<never>();
  readonly #script: Script;
  readonly #ledger: Ledger;
  #turn = 0;
  #fate = 0;

  constructor(name: string, script: Script, ledger: Ledger) {
    super(script.deadlineMs === null ? {} : { deadlineMs: script.deadlineMs });
    this.name = name;
    this.#script = script;
    this.#ledger = ledger;
  }

  protected override async *deliver(
    jobs: AsyncIterable<Job>,
    _context: DeliveryContext,
  ): AsyncGenerator<DeliveryResult, void, undefined> {
    for await (const job of jobs) {
      const { moods } = this.#script;
      const mood = moods[this.#turn++ % moods.length];
      if (mood === 'ends without an answer') return;
      if (mood === 'throws') throw new Error('a bug');
      if (mood === 'is silent') await new Promise(() => {});
      if (mood === 'stops when told') {
        await new Promise<void>((resolve) => {
          if (job.signal?.aborted) resolve();
          else job.signal?.addEventListener('abort', () => resolve(), { once: true });
        });
        yield failedDelivery(job, new SendError('timeout', 'given up in time', { retryable: true }));
      } else if (mood === 'is not reached') {
        yield failedDelivery(job, new EmailConnectionError('refused', 'connection refused', { retryable: true }));
      } else yield this.#serve(job);
    }
  }

  #serve({ index, message }: Job): DeliveryResult {
    const recipients = new Map<string, RecipientStatus>();
    for (const { address } of message.recipients) {
      const status = this.#decide(address);
      if (status !== null) recipients.set(address, status);
    }
    return { index, messageId: message.messageId, recipients };
  }

  #decide(address: string): RecipientStatus | null {
    const { fates } = this.#script;
    const fate = fates[this.#fate++ % fates.length];
    if (fate?.startsWith('accepts')) this.#ledger.set(address, [...(this.#ledger.get(address) ?? []), this.name]);
    const failed = (status: 'failed' | 'rejected' | 'unknown', error: EmailError) =>
      recipientStatus(address, status, { code: error.code, error, retryable: error.retryable });
    switch (fate) {
      case 'accepts':
        return recipientStatus(address, 'sent');
      case 'refuses':
        return failed('rejected', new SendError('rejected', 'no'));
      case 'refuses for now':
        return failed('failed', new SendError('temporary', 'later', { retryable: true, retryAfterMs: 10 }));
      case 'blocks the account':
        return failed('failed', new SendError('account', 'blocked'));
      case 'accepts, and the answer is lost':
      case 'does not accept, and nobody knows':
        return failed('unknown', new SendError('uncertain', 'no answer', { outcome: 'unknown' }));
      default:
        return null;
    }
  }
}

/** Goes on to the next timer at once. */
function hastyClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    wakeAfter: (ms, wake) => {
      const handle = setImmediate(() => {
        now += ms;
        wake();
      });
      return () => clearImmediate(handle);
    },
  };
}

/** Grows a tree; `copies` has what went to the second connections of mirrors. */
export function grow(script: Tree, ledger: Ledger, copies: Ledger, deadlineMs: number): EmailBackend {
  const clock = hastyClock();
  let leaves = 0;
  const build = (node: Tree, into: Ledger, options: object): EmailBackend => {
    if (node.kind === 'leaf') return new Leaf(`leaf${++leaves}`, node, into);
    const connections = node.parts.map((part, place) =>
      build(part, node.kind === 'mirror' && place > 0 ? copies : into, {}),
    );
    const all = { ...options, connections };
    const time = { clock, random: () => 0.5 };
    switch (node.kind) {
      case 'failover':
        return new FailoverBackend({ ...all, cooldownMs: 50 }, time);
      case 'round-robin':
        return new RoundRobinBackend({ ...all, cooldownMs: 0 }, time);
      case 'weighted':
        return new WeightedBackend({ ...all, weights: connections.map((_, place) => 3 - place) }, time);
      case 'route':
        return new RouteBackend(
          { ...all, choose: ({ subject }) => connections[subject.length % connections.length] ?? '' },
          time,
        );
      case 'mirror':
        return new MirrorBackend({ ...all, connections: connections.slice(0, 2) }, time);
      case 'retry':
        return new RetryBackend({ ...all, attempts: 3, baseMs: 10 }, time);
      case 'rate-limit':
        return new RateLimitBackend({ ...all, perSecond: 20, burst: 3 }, time);
    }
  };
  if (script.kind === 'leaf')
    return new FailoverBackend({ connections: [build(script, ledger, {})], deadlineMs }, { clock });
  return build(script, ledger, { deadlineMs });
}
