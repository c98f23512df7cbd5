import { describe, it } from 'vitest';
import type { EmailBackend } from '../../src/backend/backend.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { ResendBackend } from '../../src/backends/resend.ts';
import { failover, mirror, rateLimit, retry, roundRobin, route, weighted } from '../../src/connection/wrappers.ts';
import { type ContractFactory, describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { ContractAbilities, ContractSubject } from '../../src/testing/contract/subject.ts';
import { vendorSubject } from '../backends/vendor-subject.ts';
import { resend } from '../servers/vendors/resend.ts';
import { dummySubject, smtpSubject } from '../testing/contract/subjects.ts';

type Wrap = (parts: readonly EmailBackend[]) => EmailBackend;

const smtp: ContractFactory = () => smtpSubject();
const http = vendorSubject(resend, (baseUrl) => new ResendBackend({ apiKey: 're_123', baseUrl }));
const quick = { baseMs: 1, maxMs: 1 };

/** What a wrapper makes of several providers, as one that does what all of them are told to. */
function wrapped(wrap: Wrap, ...factories: readonly ContractFactory[]): ContractFactory {
  return async () => {
    const subjects = await Promise.all(factories.map((factory) => factory()));
    return {
      backend: wrap(subjects.map(({ backend }) => backend as EmailBackend)), // the factories make no others
      received: async () => (await Promise.all(subjects.map((subject) => subject.received()))).flat(),
      ...abilities(subjects),
      close: async () => {
        await Promise.all(subjects.map((subject) => subject.close?.()));
      },
    };
  };
}

function abilities(subjects: readonly ContractSubject[]): ContractAbilities {
  const each = (name: 'breakDown' | 'loseAnswers') => () => {
    for (const subject of subjects) subject[name]?.();
  };
  return {
    refuse: (address) => {
      for (const subject of subjects) subject.refuse?.(address);
    },
    breakDown: each('breakDown'),
    loseAnswers: each('loseAnswers'),
    stall: () => {
      const stalled = subjects.map((subject) => subject.stall?.());
      // Where one cannot tell, a request may wait there that the others know nothing of.
      return stalled.every((each) => each instanceof Promise) ? Promise.race(stalled) : undefined;
    },
  };
}

const CHOOSING: readonly (readonly [string, Wrap])[] = [
  ['failover', (parts) => failover(parts)],
  ['round-robin', (parts) => roundRobin(parts)],
  ['weighted', (parts) => weighted(parts.map((connection, place) => ({ connection, weight: place + 1 })))],
];

// Providers of one kind: of what may be left out, a wrapper takes what any of them carries, and cannot say before who will send.
for (const [name, wrap] of CHOOSING) {
  describeBackend(`${name} of one`, wrapped(wrap, smtp), { describe, it });
  describeBackend(`${name} of two`, wrapped(wrap, smtp, smtp), { describe, it });
  describeBackend(`${name} of three`, wrapped(wrap, smtp, smtp, smtp), { describe, it });
  const lacks = ['stall', 'loseAnswers'] as const;
  describeBackend(`${name} of what sends nothing`, wrapped(wrap, dummySubject, dummySubject), { describe, it, lacks });
}

const byTurns: Wrap = (parts) => {
  let turn = 0;
  return route(() => parts[turn++ % parts.length] as EmailBackend, parts); // there is one
};
describeBackend('route of one', wrapped(byTurns, http), { describe, it });
describeBackend('route of two', wrapped(byTurns, smtp, smtp), { describe, it });
describeBackend('route of three', wrapped(byTurns, smtp, smtp, smtp), { describe, it });

const ONE: readonly (readonly [string, (part: EmailBackend) => EmailBackend])[] = [
  ['mirror', (part) => mirror(part, new DummyBackend())],
  ['retry', (part) => retry(part, quick)],
  ['rate-limit', (part) => rateLimit(part, '1000000/s, 1000000/day')],
];

for (const [name, wrap] of ONE) {
  const first: Wrap = ([part]) => wrap(part as EmailBackend); // there is one
  describeBackend(`${name} of smtp`, wrapped(first, smtp), { describe, it });
  describeBackend(`${name} of an HTTP provider`, wrapped(first, http), { describe, it });
}

const nested: readonly (readonly [string, Wrap])[] = [
  ['failover in round-robin', ([a, b, c]) => roundRobin([failover([a, b] as EmailBackend[]), c as EmailBackend])],
  ['retry in failover', (parts) => failover(parts.map((part) => retry(part, quick)))],
  ['failover in retry in rate-limit', (parts) => rateLimit(retry(failover(parts), quick), '1000000/s')],
];
for (const [name, wrap] of nested) describeBackend(name, wrapped(wrap, smtp, smtp, smtp), { describe, it });
