import { headersOf } from '../../http/payload.ts';
import { MessageError, type MessageIssue } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import { isObject } from '../../util/json.ts';

const STORED = 'SparkPost leaves it out of mails with a template: put it into the template';
/** https://github.com/SparkPost/python-sparkpost/issues/163 */
const UNSUBSCRIBING = 'SparkPost writes a header of its own over it: set transactional, or leave it out';

/**
 * Refuses what SparkPost would leave out without a word: with a stored template whatever the template does not say itself, and the
 * header for unsubscribing of mails that are not transactional.
 *
 * @throws {MessageError} `unsupported-feature`
 */
export function refuseUnsaid(message: EmailMessage, isTransactional: boolean): void {
  const { templateId, attachments, parsed, listUnsubscribe, envelopeSender, priority, espExtra } = message;
  const own = espExtra?.['sparkpost']?.['options'];
  const keepsHeader = isTransactional || (isObject(own) && own['transactional'] === true);
  const headers = Object.keys(headersOf(priority === null ? message : message.with({ priority: null })));
  const isUnsubscribing = headers.some((name) => /^list-unsubscribe$/i.test(name));
  const isStored = templateId !== null;
  const unsaid: readonly (readonly [string, boolean, string])[] = [
    [
      listUnsubscribe === null ? 'headers' : 'listUnsubscribe',
      isUnsubscribing && !isStored && !keepsHeader,
      UNSUBSCRIBING,
    ],
    ['envelopeSender', envelopeSender === '', 'SparkPost has no null sender: leave it out'],
    ['attachments', isStored && attachments.length > 0, STORED],
    ['replyTo', isStored && parsed.replyTo.length > 0, STORED],
    ['cc', isStored && parsed.cc.length > 0, STORED],
    ['headers', isStored && headers.length > 0, STORED],
  ];
  const issues = unsaid.flatMap(([path, isThere, text]): readonly MessageIssue[] =>
    isThere ? [{ path, code: 'unsupported', message: text }] : [],
  );
  if (issues.length > 0) throw new MessageError(issues, { code: 'unsupported-feature' });
}
