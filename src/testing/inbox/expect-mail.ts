import { AssertionError } from 'node:assert';
import type { MadeOutbox } from '../../connection/outbox.ts';
import type { Inbox } from './inbox.ts';
import type { InboxMessage } from './inbox-message.ts';
import { type MailMatchers, type MatcherResult, mailMatchers } from './matchers.ts';

/** What {@link expectMail} returns. */
export interface MailExpectation extends MailMatchers {
  /** The negation of each matcher. */
  readonly not: MailMatchers;
}

/**
 * The matchers as plain assertions, for node:test and other runners without `expect`: `expectMail(inbox).toHaveSent({to})`.
 *
 * @throws {AssertionError} From the assertions, listing what was sent.
 */
export function expectMail(received: Inbox | InboxMessage | MadeOutbox | null): MailExpectation {
  return { ...assertions(received, true), not: assertions(received, false) };
}

function assertions(received: unknown, wanted: boolean): MailMatchers {
  const entries = Object.entries(mailMatchers).map(([name, matcher]) => {
    // Each has parameters of its own, which are only passed on here.
    const judge = matcher as (
      received: unknown,
      ...expected: readonly unknown[]
    ) => MatcherResult | Promise<MatcherResult>;
    const assertion = (...expected: readonly unknown[]): void | Promise<void> => {
      const insist = ({ pass, message }: MatcherResult): void => {
        if (pass !== wanted) throw new AssertionError({ message: message(), operator: name, stackStartFn: assertion });
      };
      const result = judge(received, ...expected);
      return result instanceof Promise ? result.then(insist) : insist(result);
    };
    return [name, assertion];
  });
  return Object.fromEntries(entries) as MailMatchers; // has the same keys
}
