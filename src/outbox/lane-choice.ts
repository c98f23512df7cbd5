import { ConfigurationError, type EmailError, MessageError, type MessageIssue } from '../model/errors.ts';
import type { EmailMessage } from '../model/message.ts';
import { KEPT, KEPT_AS_IT_IS, type LaneChoice } from './outbox-options.ts';

/** What is left for other backends. */
export function withoutOutbox(espExtra: EmailMessage['espExtra']): EmailMessage['espExtra'] {
  const { outbox: _, ...rest } = { ...espExtra };
  return Object.keys(rest).length === 0 ? null : rest;
}

/** @param refused makes the error that is thrown for what is none */
export function readChoice(
  own: Readonly<Record<string, unknown>>,
  refused: (field: string, message: string) => EmailError,
): LaneChoice {
  const { lane, priority, orderKey, onDoubt, ...rest } = own;
  for (const name of Object.keys(rest)) throw refused(name, 'the outbox knows lane, priority, orderKey and onDoubt');
  if (lane !== undefined && typeof lane !== 'string') throw refused('lane', 'must be the name of a lane');
  if (priority !== undefined && !Number.isSafeInteger(priority)) throw refused('priority', 'must be a whole number');
  // Mails of one turn are written down together: what a store refuses would fail those of others, too.
  if (orderKey !== undefined && !(typeof orderKey === 'string' && KEPT.test(orderKey)))
    throw refused('orderKey', `must be a text of ${KEPT_AS_IT_IS}`);
  if (!(onDoubt === undefined || onDoubt === 'hold' || onDoubt === 'resend'))
    throw refused('onDoubt', "must be 'hold' or 'resend'");
  return own as LaneChoice; // checked above
}

export function refusedOption(option: string, message: string): ConfigurationError {
  return new ConfigurationError('invalid-option', `enqueue: ${option}: ${message}`, { option });
}

/** The error for what a message says. */
export function issue(field: string, message: string): MessageError {
  const found: MessageIssue = { path: `espExtra.outbox.${field}`, code: 'range', message };
  return new MessageError([found]);
}

export function unknownLane(lane: string, lanes: object): ConfigurationError {
  const text = `there is no lane '${lane}' in the outbox; its lanes are ${Object.keys(lanes).join(', ')}`;
  return new ConfigurationError('invalid-option', text, { option: 'lane' });
}
