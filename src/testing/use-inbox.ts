import { AsyncLocalStorage } from 'node:async_hooks';
import { BACKEND_OPTIONS, EmailBackend } from '../backend.ts';
import { getConnection, setDefaultConnection } from '../connection.ts';
import type { DeliveryContext, DeliveryResult, Job } from '../delivery.ts';
import { ALL_FEATURES, type Feature } from '../features.ts';
import type { AnyOptionTable } from '../options.ts';
import { deliverInto, deliverIntoSync, Inbox } from './inbox.ts';
import type { InboxMessage } from './inbox-message.ts';

const storage = /* @__PURE__ */ new AsyncLocalStorage<TestInbox>();
const open = new Set<TestInbox>();
let inboxSwitch: InboxSwitch | null = null;
let restore = (): void => {};

/**
 * Gives the test that is running an inbox of its own: what it sends without naming a connection arrives there, and what
 * tests beside it send does not.
 *
 * Call it in the test itself; in a `beforeEach` it serves tests that run one after the other, when `afterEach` closes it. Mail
 * that is sent outside every test, by a worker that was started before, say, goes to the latest inbox. Closing the last one
 * (`await using`, or `close()`) gives the process its connection back.
 */
export function useInbox(): Inbox {
  const inbox = new TestInbox();
  inboxSwitch ??= getConnection(InboxSwitch);
  const undo = setDefaultConnection(inboxSwitch);
  if (open.size === 0) restore = undo;
  open.add(inbox);
  storage.enterWith(inbox);
  return inbox;
}

class TestInbox extends Inbox {
  /**
   * Test runners let an inbox of one test's `beforeEach` reach the next tests, and not always that of their own: who then
   * looks for mail in vain is told.
   */
  override get messages(): readonly InboxMessage[] {
    const own = storage.getStore();
    if (own !== undefined && own !== this && open.has(own) && [...open].indexOf(own) < [...open].indexOf(this)) {
      throw new Error(
        'this test sends to the inbox of an earlier one: call useInbox() in the test itself, or let afterEach close the inbox',
      );
    }
    return super.messages;
  }

  override async close(): Promise<void> {
    await super.close();
    if (open.delete(this) && open.size === 0) restore();
  }
}

/** The process's connection while tests have inboxes: it looks whose test is sending. */
class InboxSwitch extends EmailBackend {
  static readonly optionTable: AnyOptionTable = BACKEND_OPTIONS;
  readonly name = 'inbox';
  protected readonly features: ReadonlySet<Feature> = ALL_FEATURES;
  /** A call that had to wait would start in the test that made room for it. */
  protected override readonly maxActiveCalls = Number.POSITIVE_INFINITY;

  protected override deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult> {
    return deliverInto(currentInbox(), jobs, context);
  }

  protected override deliverSync(jobs: readonly Job[]): readonly DeliveryResult[] {
    return deliverIntoSync(currentInbox(), jobs);
  }
}

function currentInbox(): Inbox {
  const own = storage.getStore();
  if (own !== undefined && open.has(own)) return own;
  const latest = [...open].at(-1);
  if (latest === undefined) throw new Error('every inbox was closed while this mail was sent');
  return latest;
}
