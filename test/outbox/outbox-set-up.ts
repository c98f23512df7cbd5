import { DummyBackend } from '../../src/backends/dummy.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import type { EmailMessageDraft } from '../../src/model/message-init.ts';
import { memoryStore } from '../../src/outbox/memory-store.ts';
import type { OutboxOptions } from '../../src/outbox/outbox-options.ts';

/** In milliseconds. */
export const HOUR = 3_600_000;

export function mail(fields: Partial<EmailMessageDraft> = {}): EmailMessageDraft {
  return { subject: 'Welcome', body: 'Hello', fromEmail: 'shop@example.com', to: 'jane@example.org', ...fields };
}

/** An outbox over memory and a connection that sends nothing, with a clock of the test's own. */
export function setUp(options: Partial<OutboxOptions> = {}) {
  let now = Date.now();
  const dummy = new DummyBackend({ store: true });
  const store = memoryStore({ now: () => now });
  const outbox = new Outbox({ store, connection: dummy, ...options });
  const advance = (ms: number) => {
    now += ms;
  };
  return { outbox, dummy, store, advance };
}
