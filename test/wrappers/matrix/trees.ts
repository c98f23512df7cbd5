import { setTimeout as after } from 'node:timers';
import type { EmailBackend } from '../../../src/backend/backend.ts';
import { DummyBackend } from '../../../src/backends/dummy.ts';
import type { Clock } from '../../../src/util/clock.ts';
import { FailoverBackend } from '../../../src/wrappers/failover.ts';
import { MirrorBackend } from '../../../src/wrappers/mirror.ts';
import type { NamedConnection } from '../../../src/wrappers/parts.ts';
import { RateLimitBackend } from '../../../src/wrappers/rate-limit.ts';
import { RetryBackend } from '../../../src/wrappers/retry.ts';
import { RoundRobinBackend } from '../../../src/wrappers/round-robin.ts';
import { RouteBackend } from '../../../src/wrappers/route.ts';
import { WeightedBackend } from '../../../src/wrappers/weighted.ts';
import type { Connection } from '../../../src/wrappers/wrapper-options.ts';

/** Connections under names of their own, as `getConnection` gives them to wrappers. */
type Parts = readonly NamedConnection[];

/** Makes a wrapper of some connections; `copies` gets what a mirror copies to, the innermost first. */
type Make = (parts: Parts, copies?: DummyBackend[]) => EmailBackend;

/** What a test waits for by the clock; a pause between tries is longer. */
const SHORT_MS = 20;

/** A clock by which pauses between tries are over at once. */
function hastyClock(): Clock {
  let skipped = 0;
  const now = () => performance.now() + skipped;
  return {
    now,
    wakeAfter: (ms, wake) => {
      if (ms <= SHORT_MS) {
        const timer = after(wake, ms);
        return () => clearTimeout(timer);
      }
      const soon = setImmediate(() => {
        skipped += ms;
        wake();
      });
      return () => clearImmediate(soon);
    },
  };
}

// What getConnection gives to the classes beside connections of its own.
const given = (parts: Parts) => parts as readonly unknown[] as readonly Connection[];
const first = (parts: Parts) => given(parts.slice(0, 1));

/** Every wrapper. */
export const WRAPPERS: Readonly<Record<string, Make>> = {
  failover: (parts) => new FailoverBackend({ connections: given(parts) }, { clock: hastyClock() }),
  'round-robin': (parts) => new RoundRobinBackend({ connections: given(parts) }, { clock: hastyClock() }),
  weighted: (parts) => {
    const weights = parts.map((_, place) => (place === 0 ? 2 : 1));
    return new WeightedBackend({ connections: given(parts), weights }, { clock: hastyClock() });
  },
  route: (parts) => {
    let turn = 0;
    const choose = () => parts[turn++ % parts.length]?.connection as EmailBackend; // there is one
    return new RouteBackend({ connections: given(parts), choose }, { clock: hastyClock() });
  },
  mirror: (parts, copies) => {
    const copy = new DummyBackend({ store: true });
    copies?.push(copy);
    const connections = [...first(parts), copy];
    return new MirrorBackend({ connections }, { clock: hastyClock() });
  },
  retry: (parts) => new RetryBackend({ connections: first(parts), baseMs: 100 }, { clock: hastyClock() }),
  'rate-limit': (parts) =>
    new RateLimitBackend({ connections: first(parts), rate: '1000000/s, 1000000/day' }, { clock: hastyClock() }),
};

/** A wrapper, or one in another, of three connections at most. */
export interface Tree {
  readonly name: string;
  /** For each mirror in it, the innermost first: what goes through it, as a part of `via`; '' is everything. */
  readonly mirrors: readonly ('' | typeof INNER)[];
  readonly make: Make;
}

const INNER = 'inner';
const mirrorIn = <Place extends Tree['mirrors'][number]>(name: string, place: Place) =>
  name === 'mirror' ? [place] : [];

const alone = Object.entries(WRAPPERS).map(
  ([name, make]): Tree => ({ name: `${name}(a b c)`, mirrors: mirrorIn(name, ''), make }),
);
const nested = Object.entries(WRAPPERS).flatMap(([outer, wrap]) =>
  Object.entries(WRAPPERS).map(
    ([inner, make]): Tree => ({
      name: `${outer}(${inner}(a b) c)`,
      mirrors: [...mirrorIn(inner, INNER), ...mirrorIn(outer, '')],
      make: ([a, b, c], copies) => {
        const connection = make([a, b] as Parts, copies);
        return wrap([{ text: INNER, name: INNER, connection }, c as NamedConnection], copies);
      },
    }),
  ),
);

/** Every wrapper alone, and every one in every other. */
export const TREES: readonly Tree[] = [...alone, ...nested];
