import { describe, it } from 'vitest';
import type { EmailBackend } from '../../src/backend/backend.ts';
import { memoryStore } from '../../src/outbox/memory-store.ts';
import { OutboxBackend } from '../../src/outbox/outbox-backend.ts';
import { type ContractFactory, describeBackend } from '../../src/testing/contract/backend-contract.ts';
import { dummySubject, smtpSubject } from '../testing/contract/subjects.ts';

/** An outbox over a provider, of which a worker sends all that is asked about. */
function over(factory: ContractFactory): ContractFactory {
  return async () => {
    const subject = await factory();
    const connection = subject.backend as EmailBackend; // the factories make no others
    const backend = new OutboxBackend({ store: memoryStore(), connection });
    return {
      backend,
      received: async () => {
        await (await backend.outbox()).flush();
        return subject.received();
      },
      close: () => subject.close?.(),
    };
  };
}

// What a provider does concerns the worker, not who enqueues.
const lacks = ['refuse', 'breakDown', 'stall', 'loseAnswers'] as const;

describeBackend('an outbox over dummy', over(dummySubject), { describe, it, lacks });
describeBackend(
  'an outbox over smtp',
  over(() => smtpSubject()),
  { describe, it, lacks },
);
