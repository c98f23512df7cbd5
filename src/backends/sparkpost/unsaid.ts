import { headersOf } from '../../http/payload.ts';
import { MessageError, type MessageIssue } from '../../model/errors.ts';
import { isScheduled } from '../../model/features.ts';
import type { EmailMessage } from '../../model/message.ts';

/**
 * Refuses what SparkPost would leave out without a word: with a stored template whatever the template does not say itself, and the
 * header for unsubscribing, which it makes itself.
 *
 * @throws {MessageError} `unsupported-feature`
 */
export function refuseUnsaid(message: EmailMessage, region: 'us' | 'eu'): void {
  const { templateId, attachments, parsed, listUnsubscribe, envelopeSender } = message;
  const stored = 'SparkPost leaves it out of mails with a template: put it into the template';
  const own =
    'SparkPost makes this header itself: leave it out, or set espExtra.sparkpost.options.transactional for none';
  const headers = Object.keys(headersOf(message.priority === null ? message : message.with({ priority: null })));
  const unsaid: readonly (readonly [string, boolean, string])[] = [
    ['listUnsubscribe', listUnsubscribe !== null, own],
    ['headers', listUnsubscribe === null && headers.some((name) => /^list-unsubscribe$/i.test(name)), own],
    ['envelopeSender', envelopeSender === '', 'SparkPost has no null sender'],
    [
      'sendAt',
      region === 'eu' && isScheduled(message),
      'SparkPost in the EU sends at once only: the outbox can send later',
    ],
    ...(templateId === null
      ? []
      : ([
          ['attachments', attachments.length > 0, stored],
          ['replyTo', parsed.replyTo.length > 0, stored],
          ['cc', parsed.cc.length > 0, stored],
          ['headers', headers.length > 0, stored],
        ] as const)),
  ];
  const issues = unsaid.flatMap(([path, isThere, text]): readonly MessageIssue[] =>
    isThere ? [{ path, code: 'unsupported', message: text }] : [],
  );
  if (issues.length > 0) throw new MessageError(issues, { code: 'unsupported-feature' });
}
