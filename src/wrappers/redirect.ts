import { addressKey, formatAddress, type Group, type Mailbox, parseMailbox } from '../address.ts';
import { EmailBackend } from '../backend.ts';
import { type DeliveryResult, failedDelivery, type Job, recipientStatus } from '../delivery.ts';
import type { DeliveryFilter } from '../delivery-filter.ts';
import { SendError } from '../errors.ts';
import { type EmailMessage, mailboxesOf } from '../message.ts';
import type { DsnRequest, EmailMessageInit, MergeData } from '../message-init.ts';
import type { RecipientStatus } from '../status.ts';
import { isAllowed, type RedirectOptions, type RedirectRules, readRules } from './redirect-rules.ts';

export type { RedirectOptions } from './redirect-rules.ts';

/**
 * Keeps mail from real recipients: all but the allowed ones are replaced by one address, in headers and envelope both.
 *
 * The connection itself is changed and returned, for good: whoever has it sends through the guard, blocking calls and wrappers
 * around it included. `X-Original-To` has the addresses of `to` and `cc` that were replaced, those of `bcc` as a count. The
 * SendStatus speaks of the original recipients. AMSDAL_EMAIL_REDIRECT_TO and AMSDAL_EMAIL_ALLOW do this to every connection
 * there is.
 *
 * @throws {ConfigurationError} `invalid-option` for a wrong address or domain, `missing-option` without any,
 *   `invalid-backend` for a connection that does not extend EmailBackend, which cannot be guarded.
 */
export function redirect<B extends EmailBackend>(connection: B, options: RedirectOptions): B {
  EmailBackend.filter(connection, redirectFilter(options));
  return connection;
}

/** The filter of {@link redirect}, for one connection or for all of them. */
export function redirectFilter(options: RedirectOptions): DeliveryFilter {
  const rules = readRules(options);
  return {
    outgoing: (job) => redirectJob(rules, job),
    returning: (job, delivered) => restoreRecipients(rules, job, delivered),
  };
}

function redirectJob(rules: RedirectRules, job: Job): Job | DeliveryResult {
  const { message } = job;
  const { parsed, recipients } = message;
  if (recipients.every((recipient) => isAllowed(rules, recipient))) return job;
  const kept = {
    to: onlyAllowed(rules, parsed.to),
    cc: onlyAllowed(rules, parsed.cc),
    bcc: onlyAllowed(rules, parsed.bcc),
  };
  if (rules.target !== null) kept.to = [formatAddress(rules.target), ...kept.to];
  if (kept.to.length + kept.cc.length + kept.bcc.length === 0) return failedDelivery(job, heldBack());
  return { ...job, message: message.with({ ...kept, ...withoutTraces(rules, message) }) };
}

function onlyAllowed(rules: RedirectRules, list: readonly (Mailbox | Group)[]): readonly string[] {
  return list.flatMap((entry) => {
    const members = mailboxesOf([entry]);
    const allowed = members.filter((mailbox) => isAllowed(rules, mailbox));
    return allowed.length === members.length ? [formatAddress(entry)] : allowed.map(formatAddress);
  });
}

/** What else of the message says who it was for. */
function withoutTraces(rules: RedirectRules, message: EmailMessage): Partial<EmailMessageInit> {
  const { headers, dsn, mergeData } = message;
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'x-original-to');
  const original = originalRecipients(rules, message);
  return {
    headers: Object.fromEntries(original === '' ? others : [...others, ['X-Original-To', original]]),
    ...(dsn !== null && { dsn: withoutOriginalRecipient(dsn) }),
    ...(mergeData !== null && { mergeData: redirectData(rules, message, mergeData) }),
  };
}

/** `ann@example.com, bob@example.com, 2 Bcc`: who gets a blind copy stays blind. */
function originalRecipients(rules: RedirectRules, { parsed }: EmailMessage): string {
  const isReplaced = (mailbox: Mailbox) => !isAllowed(rules, mailbox);
  const shown = mailboxesOf([...parsed.to, ...parsed.cc]).filter(isReplaced);
  const blind = mailboxesOf(parsed.bcc).filter(isReplaced).length;
  return [...shown.map(({ asciiAddress }) => asciiAddress), ...(blind === 0 ? [] : [`${blind} Bcc`])].join(', ');
}

function withoutOriginalRecipient({ orcpt: _, ...rest }: DsnRequest): DsnRequest {
  return rest;
}

/** The address that gets the mail sees the first recipient's data. */
function redirectData(
  rules: RedirectRules,
  message: EmailMessage,
  mergeData: Readonly<Record<string, MergeData>>,
): Readonly<Record<string, MergeData>> {
  const entries = Object.entries(mergeData).map(([address, data]) => ({ key: keyOf(address), address, data }));
  const kept = entries.filter(({ key }) =>
    message.recipients.some((each) => isAllowed(rules, each) && addressKey(each) === key),
  );
  const replaced = message.recipients.filter((each) => !isAllowed(rules, each)).map(addressKey);
  const [first] = entries.filter(({ key }) => replaced.includes(key));
  const result = Object.fromEntries(kept.map(({ address, data }) => [address, data]));
  return rules.target === null || !first ? result : { ...result, [rules.target.address]: first.data };
}

function restoreRecipients(rules: RedirectRules, { message }: Job, delivered: DeliveryResult): DeliveryResult {
  if (message.recipients.every((recipient) => isAllowed(rules, recipient))) return delivered;
  const byKey = new Map([...delivered.recipients.values()].map((status) => [keyOf(status.address), status]));
  const recipients = new Map<string, RecipientStatus>();
  for (const recipient of message.recipients) {
    const { address } = recipient;
    const stand = isAllowed(rules, recipient) ? recipient : rules.target;
    const status = stand === null ? heldBackStatus(address) : byKey.get(addressKey(stand));
    if (status) recipients.set(address, { ...status, address });
  }
  return { ...delivered, recipients };
}

function keyOf(address: string): string {
  return addressKey(parseMailbox(address));
}

function heldBack(): SendError {
  return new SendError('cancelled', 'the staging guard holds back mail to recipients that are not allowed', {
    phase: 'hook',
  });
}

function heldBackStatus(address: string): RecipientStatus {
  const error = heldBack();
  return recipientStatus(address, 'failed', { code: error.code, error });
}
