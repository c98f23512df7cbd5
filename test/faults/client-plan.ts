import type { SmtpBackendOptions } from '../../src/index.ts';
import type { Random } from './random.ts';

/** Who sends: a list with an answer or an exception at the end, results as they come, and mails by themselves. */
type CallKind = 'list' | 'silent list' | 'stream' | 'singles' | 'one by one';

/** How a call ends before its time: aborted after so many results or milliseconds, or a stream that is not read on. */
type Stop =
  | { readonly kind: 'abort after results'; readonly count: number }
  | { readonly kind: 'abort after time'; readonly ms: number }
  | { readonly kind: 'leave'; readonly count: number };

/** One of the calls that a case makes at the same time, over one connection. */
export interface CallPlan {
  readonly kind: CallKind;
  readonly mails: number;
  readonly stop: Stop | null;
}

/** Everything that decides what the client does. */
export interface ClientPlan {
  readonly options: SmtpBackendOptions;
  readonly calls: readonly CallPlan[];
}

/** A client with everything decided that is left to chance. */
export function planClient(
  random: Random,
  server: { readonly isLmtp: boolean; readonly isSilent: boolean; readonly calmFor: number },
): ClientPlan {
  const options: SmtpBackendOptions = {
    lmtp: server.isLmtp,
    maxConnections: random.pick([1, 1, 5, 20]),
    maxInFlight: random.pick([8, 8, 100]),
    timeoutMs: server.isSilent ? 150 : 2_000,
    // Waiting shows nothing.
    retry: { attempts: random.pick([1, 1, 2, 4]), baseMs: 1, maxMs: 10 },
    ...(random.chance(0.1) && { deadlineMs: random.integer(5, 200) }),
    ...(random.chance(0.1) && { maxMessages: random.integer(1, 7) }),
  };
  const calls = Array.from({ length: random.pick([1, 1, 2, 3]) }, () => planCall(random, server.calmFor));
  return { options, calls };
}

function planCall(random: Random, calmFor: number): CallPlan {
  const kind = random.pick<CallKind>(['list', 'silent list', 'silent list', 'stream', 'singles', 'one by one']);
  const mails = calmFor + random.pick([random.integer(3, 10), random.integer(3, 10), random.integer(10, 25)]);
  return { kind, mails, stop: random.chance(0.15) ? planStop(random, kind, mails) : null };
}

function planStop(random: Random, kind: CallKind, mails: number): Stop {
  const count = random.integer(0, mails - 1);
  if (kind === 'stream' && random.chance(0.5)) return { kind: 'leave', count };
  if (random.chance(0.5)) return { kind: 'abort after results', count };
  return { kind: 'abort after time', ms: random.integer(0, 60) };
}
