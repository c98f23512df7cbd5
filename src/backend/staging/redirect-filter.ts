import {
  addressKey,
  comparisonKey,
  formatAddress,
  type Group,
  type Mailbox,
  parseMailbox,
} from '../../model/address.ts';
import { SendError } from '../../model/errors.ts';
import { deriveKey } from '../../model/idempotency-key.ts';
import { type EmailMessage, mailboxesOf } from '../../model/message.ts';
import type { DsnRequest, EmailMessageInit, EspExtra, MergeData } from '../../model/message-init.ts';
import { type RecipientStatus, recipientStatus } from '../../model/status.ts';
import type { DeliveryFilter } from '../filter.ts';
import type { DeliveryResult } from '../job.ts';
import { isAllowed, type RedirectOptions, type RedirectRules, readRules } from './redirect-rules.ts';

/** Fields whose address gets an answer from the recipient or from a server on the way. */
const ANSWERED: ReadonlySet<string> = new Set([
  'disposition-notification-to', // RFC 8098, section 2.1
  'errors-to',
  'return-receipt-to',
  'x-confirm-reading-to',
]);
/** Fields in which providers find recipients beyond the envelope: SendGrid, SparkPost, Mandrill. */
const ADDRESSED: ReadonlySet<string> = new Set(['x-smtpapi', 'x-msys-api', 'x-mc-bccaddress']);

/** Redirects or holds back mail to recipients that are not allowed. */
export function redirectFilter(options: RedirectOptions): DeliveryFilter {
  const rules = readRules(options);
  return {
    outgoing: (message) => redirectMessage(rules, message),
    returning: (message, delivered) => restoreRecipients(rules, message, delivered),
  };
}

function redirectMessage(rules: RedirectRules, message: EmailMessage): EmailMessage | SendError {
  const { parsed, recipients } = message;
  const answers = withoutAnswers(rules, message);
  if (recipients.every((recipient) => isAllowed(rules, recipient))) {
    return Object.keys(answers).length === 0 ? message : message.with(answers);
  }
  const kept = {
    to: onlyAllowed(rules, parsed.to),
    cc: onlyAllowed(rules, parsed.cc),
    bcc: onlyAllowed(rules, parsed.bcc),
  };
  if (rules.target !== null) kept.to = [formatAddress(rules.target), ...kept.to];
  if (kept.to.length + kept.cc.length + kept.bcc.length === 0) return heldBack();
  return message.with({ ...answers, ...kept, ...withoutTraces(rules, message, answers.headers ?? message.headers) });
}

/**
 * Replaces addresses that would get bounces and receipts and are not allowed, by the target or nothing. Fields that name further
 * recipients to a provider are removed.
 */
function withoutAnswers(rules: RedirectRules, { parsed, headers, espExtra }: EmailMessage): Answers {
  const { target } = rules;
  const { envelopeSender } = parsed;
  const fields = Object.entries(headers);
  const kept = fields.flatMap(([name, value]): readonly [string, string][] => {
    if (ADDRESSED.has(name.toLowerCase())) return namesOnlyAllowed(rules, value) ? [[name, value]] : [];
    if (!ANSWERED.has(name.toLowerCase()) || isAllowedText(rules, value)) return [[name, value]];
    return target === null ? [] : [[name, target.asciiAddress]];
  });
  const isSame = kept.length === fields.length && kept.every(([, value], index) => value === fields[index]?.[1]);
  return {
    ...(envelopeSender !== null && !isAllowed(rules, envelopeSender) && { envelopeSender: target?.address ?? '' }),
    ...(!isSame && { headers: Object.fromEntries(kept) }),
    ...(espExtra !== null && !isAllowedExtra(rules, espExtra) && { espExtra: allowedExtra(rules, espExtra) }),
  };
}

type Answers = Pick<EmailMessageInit, 'envelopeSender' | 'headers' | 'espExtra'>;

/** A provider's own fields may name further recipients: those that do are removed. */
function allowedExtra(rules: RedirectRules, espExtra: EspExtra): EspExtra {
  return Object.fromEntries(Object.entries(espExtra).filter(([, fields]) => isAllowedExtra(rules, fields)));
}

function isAllowedExtra(rules: RedirectRules, extra: object): boolean {
  return namesOnlyAllowed(rules, JSON.stringify(extra));
}

/** False for text that cannot be parsed as one address. */
function isAllowedText(rules: RedirectRules, text: string): boolean {
  try {
    return isAllowed(rules, parseMailbox(text));
  } catch {
    return false;
  }
}

/** Whether everything that looks like an address in a text, JSON or not, is allowed. */
function namesOnlyAllowed(rules: RedirectRules, text: string): boolean {
  if (text.includes('\\u')) return false; // may be an escaped "@"
  const words = text.split(/[\s"'<>()[\]{},;:\\]+/);
  return words.every((word) => !word.includes('@') || isAllowedText(rules, word));
}

function onlyAllowed(rules: RedirectRules, list: readonly (Mailbox | Group)[]): readonly string[] {
  return list.flatMap((entry) => {
    const members = mailboxesOf([entry]);
    const allowed = members.filter((mailbox) => isAllowed(rules, mailbox));
    return allowed.length === members.length ? [formatAddress(entry)] : allowed.map(formatAddress);
  });
}

/** Removes what else in the message names its original recipients. */
function withoutTraces(
  rules: RedirectRules,
  message: EmailMessage,
  headers: Readonly<Record<string, string>>,
): Partial<EmailMessageInit> {
  const { dsn, mergeData, idempotencyKey } = message;
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'x-original-to');
  const original = originalRecipients(rules, message);
  return {
    headers: Object.fromEntries(original === '' ? others : [...others, ['X-Original-To', original]]),
    ...(dsn !== null && { dsn: withoutOriginalRecipient(dsn) }),
    ...(mergeData !== null && { mergeData: redirectData(rules, message, mergeData) }),
    // It is another mail: under the same key a provider would not send both.
    ...(idempotencyKey !== null && { idempotencyKey: deriveKey(idempotencyKey, 'redirected') }),
  };
}

/** `ann@example.com, bob@example.com, 2 Bcc`: Bcc recipients are only counted. */
function originalRecipients(rules: RedirectRules, { parsed }: EmailMessage): string {
  const isReplaced = (mailbox: Mailbox) => !isAllowed(rules, mailbox);
  const shown = mailboxesOf([...parsed.to, ...parsed.cc]).filter(isReplaced);
  const blind = mailboxesOf(parsed.bcc).filter(isReplaced).length;
  return [...shown.map(({ asciiAddress }) => asciiAddress), ...(blind === 0 ? [] : [`${blind} Bcc`])].join(', ');
}

function withoutOriginalRecipient({ orcpt: _, ...rest }: DsnRequest): DsnRequest {
  return rest;
}

/** The target gets the data of the first replaced recipient. */
function redirectData(
  rules: RedirectRules,
  message: EmailMessage,
  mergeData: Readonly<Record<string, MergeData>>,
): Readonly<Record<string, MergeData>> {
  const entries = Object.entries(mergeData).map(([address, data]) => ({ key: comparisonKey(address), address, data }));
  const kept = entries.filter(({ key }) =>
    message.recipients.some((each) => isAllowed(rules, each) && addressKey(each) === key),
  );
  const replaced = message.recipients.filter((each) => !isAllowed(rules, each)).map(addressKey);
  const [first] = entries.filter(({ key }) => replaced.includes(key));
  const result = Object.fromEntries(kept.map(({ address, data }) => [address, data]));
  return rules.target === null || !first ? result : { ...result, [rules.target.address]: first.data };
}

function restoreRecipients(rules: RedirectRules, message: EmailMessage, delivered: DeliveryResult): DeliveryResult {
  if (message.recipients.every((recipient) => isAllowed(rules, recipient))) return delivered;
  const byKey = new Map([...delivered.recipients.values()].map((status) => [comparisonKey(status.address), status]));
  const recipients = new Map<string, RecipientStatus>();
  for (const recipient of message.recipients) {
    const { address } = recipient;
    const actual = isAllowed(rules, recipient) ? recipient : rules.target;
    const status = actual === null ? heldBackStatus(address) : byKey.get(addressKey(actual));
    if (status) recipients.set(address, { ...status, address });
  }
  return { ...delivered, recipients };
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
