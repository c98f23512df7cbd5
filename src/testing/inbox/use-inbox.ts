import { AsyncLocalStorage } from 'node:async_hooks';
import { BACKEND_OPTIONS, EmailBackend } from '../../backend/backend.ts';
import type { DeliveryContext, DeliveryResult, Job } from '../../backend/job.ts';
import { getConnection, setDefaultConnection } from '../../connection/connection.ts';
import { ALL_FEATURES, type Feature } from '../../model/features.ts';
import type { AnyOptionTable } from '../../options/option-table.ts';
import { deliverInto, deliverIntoSync, Inbox } from './inbox.ts';
import type { InboxMessage } from './inbox-message.ts';

const storage = /* @__PURE__ */ new AsyncLocalStorage<TestInbox>();
const open = new Set<TestInbox>();
let inboxSwitch: InboxSwitch | null = null;
let restore = (): void => {};

/**
 * Makes an inbox for the current test, which gets what the test sends without naming a connection, but nothing from tests
 * that run concurrently.
 *
 * Call it in the test itself; in a `beforeEach` it is for tests that run one at a time, with an `afterEach` that closes it.
 * Mail sent outside any test, for example by a worker started earlier, goes to the latest inbox. Closing the last inbox
 * (`await using`, or `close()`) restores the default connection.
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
   * Test runners keep the async context of one test's `beforeEach` for later tests, and sometimes lose that of their own: a
   * test that reads an inbox which gets none of its mail gets this error.
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

/** The default connection while there are inboxes: delivers to the inbox of the test that is sending. */
class InboxSwitch extends EmailBackend {
  static readonly optionTable: AnyOptionTable = BACKEND_OPTIONS;
  readonly name = 'inbox';
  protected readonly features: ReadonlySet<Feature> = ALL_FEATURES;
  /** A queued call would start in the async context of the test whose call ended. */
  protected override readonly maxActiveCalls = Number.POSITIVE_INFINITY;
  protected override readonly awaitsCommit = true; // as inboxes do

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
