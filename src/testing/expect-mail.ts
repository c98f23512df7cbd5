import { AssertionError } from 'node:assert';
import type { Inbox } from './inbox.ts';
import type { InboxMessage } from './inbox-message.ts';
import { type MailMatchers, type MatcherResult, mailMatchers } from './matchers.ts';

/** What {@link expectMail} returns. */
export interface MailExpectation extends MailMatchers {
  /** The opposite of each. */
  readonly not: MailMatchers;
}

/**
 * The matchers as plain assertions, for node:test and wherever there is no `expect`: `expectMail(inbox).toHaveSent({to})`.
 *
 * @throws {AssertionError} from the assertions, with what was sent.
 */
export function expectMail(received: Inbox | InboxMessage | null): MailExpectation {
  return { ...assertions(received, true), not: assertions(received, false) };
}

function assertions(received: unknown, wanted: boolean): MailMatchers {
  const entries = Object.entries(mailMatchers).map(([name, matcher]) => {
    // Each takes what its own name asks for; here they are all alike.
    const judge = matcher as (received: unknown, ...expected: readonly unknown[]) => MatcherResult;
    const assertion = (...expected: readonly unknown[]): void => {
      const { pass, message } = judge(received, ...expected);
      if (pass !== wanted) throw new AssertionError({ message: message(), operator: name, stackStartFn: assertion });
    };
    return [name, assertion];
  });
  return Object.fromEntries(entries) as MailMatchers; // the same names
}
