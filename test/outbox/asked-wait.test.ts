import { describe, expect, it } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import { SendError } from '../../src/model/errors.ts';
import { sqliteStore } from '../../src/outbox/stores/sqlite.ts';
import { mail } from './outbox-set-up.ts';

const DAY = 86_400_000;

/** An outbox in SQLite, which keeps no number that JavaScript has not. */
function setUp() {
  let now = Date.now();
  const dummy = new DummyBackend({ store: true });
  const outbox = new Outbox({ store: sqliteStore(':memory:', { now: () => now }), connection: dummy });
  const advance = (ms: number) => {
    now += ms;
  };
  return { outbox, dummy, advance };
}

// As `Retry-After: 99999999999999`, and with more digits.
describe.each([1e17, 1e23, Number.POSITIVE_INFINITY])('a provider that asks for %d milliseconds', (retryAfterMs) => {
  it('has its mail wait for a month, and keeps no other one up', async () => {
    const { outbox, dummy, advance } = setUp();
    dummy.failNext(new SendError('throttled', 'later', { retryable: true, retryAfterMs }));
    const [written] = await outbox.enqueue(mail());
    expect(await outbox.flush()).toMatchObject({ retried: 1 });
    await outbox.enqueue(mail());
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
    advance(30 * DAY);
    expect(await outbox.flush()).toMatchObject({ sent: 0 });
    advance(DAY);
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
    expect(await outbox.get(written?.id ?? '')).toMatchObject({ state: 'sent' });
    await outbox.close();
  });

  it('pauses its lane for a month', async () => {
    const { outbox, dummy, advance } = setUp();
    dummy.failNext(new SendError('account', 'later', { retryAfterMs }));
    await outbox.enqueue(mail());
    await outbox.flush();
    expect((await outbox.stats()).paused).toMatchObject([{ ms: 31 * DAY }]);
    advance(31 * DAY);
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
    await outbox.close();
  });
});
