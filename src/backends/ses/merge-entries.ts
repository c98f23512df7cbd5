import { addressKey, parseMailbox } from '../../model/address.ts';
import { MessageError, type MessageIssue, type MessageIssueCode } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import { dataIssues } from './content.ts';
import {
  chunksOf,
  destinationOf,
  type EnvelopeRecipient,
  envelopeRecipients,
  headerForm,
  MAX_RECIPIENTS,
} from './recipients.ts';
import type { BulkEntry } from './requests.ts';

/** What becomes one entry of a bulk request. */
export interface MergeEntry {
  readonly recipients: readonly EnvelopeRecipient[];
  /** The variables, in JSON. */
  readonly json: string;
}

/**
 * One mail for each To, with its own variables; a single To takes Cc and Bcc with it.
 *
 * @throws {MessageError} `invalid-message` when keys of `mergeData` and To do not fit together, or several To have Cc or Bcc.
 */
export function mergeEntries(message: EmailMessage): readonly MergeEntry[] {
  const recipients = envelopeRecipients(message);
  const to = recipients.filter(({ list }) => list === 'ToAddresses');
  const data = readMergeData(message, to);
  if (to.length === 1)
    return chunksOf(recipients, MAX_RECIPIENTS).map((chunk) => ({ recipients: chunk, json: data[0] ?? '{}' }));
  return to.map((recipient, index) => ({ recipients: [recipient], json: data[index] ?? '{}' }));
}

/** The entry as the API has it. */
export function bulkEntry({ recipients, json }: MergeEntry): BulkEntry {
  return {
    Destination: destinationOf(recipients, headerForm),
    ReplacementEmailContent: { ReplacementTemplate: { ReplacementTemplateData: json } },
  };
}

/** The variables of each To, in JSON. */
function readMergeData(message: EmailMessage, to: readonly EnvelopeRecipient[]): readonly string[] {
  const { mergeGlobalData, cc, bcc } = message;
  const mergeData = message.mergeData ?? {};
  const issues: MessageIssue[] = [];
  const fail = (path: string, code: MessageIssueCode, text: string) => issues.push({ path, code, message: text });
  if (to.length === 0) fail('to', 'required', 'mergeData speaks of recipients in to, and there is none');
  if (to.length > 1 && cc.length + bcc.length > 0) {
    const field = cc.length > 0 ? 'cc' : 'bcc';
    const text = `each of the ${to.length} recipients in to gets a mail of its own, and each of these would go to ${field} too: send to one recipient at a time, or leave cc and bcc out`;
    fail(field, 'unsupported', text);
  }
  const keys = keysOf(mergeData, to, fail);
  const data = to.map(({ mailbox }) => {
    const key = keys.get(addressKey(mailbox));
    if (key === undefined && mergeGlobalData === null) {
      const text = 'there are no variables for this recipient of to: add them, or give mergeGlobalData';
      fail(`mergeData.${mailbox.address}`, 'required', text);
    }
    const json = key === undefined ? '{}' : JSON.stringify(mergeData[key]);
    issues.push(...dataIssues(`mergeData.${key}`, json));
    return json;
  });
  if (issues.length > 0) throw new MessageError(issues);
  return data;
}

/** The key of `mergeData` by the address it stands for; one that is spelled as in To is not parsed, which costs time. */
function keysOf(
  mergeData: object,
  to: readonly EnvelopeRecipient[],
  fail: (path: string, code: MessageIssueCode, text: string) => void,
): ReadonlyMap<string, string> {
  const addresses = new Map(to.map(({ mailbox }) => [mailbox.address, addressKey(mailbox)]));
  const known = new Set(addresses.values());
  const keys = new Map<string, string>();
  for (const written of Object.keys(mergeData)) {
    const address = addresses.get(written) ?? addressKey(parseMailbox(written));
    const other = keys.get(address);
    if (other !== undefined) fail(`mergeData.${written}`, 'duplicate', `it is the same address as ${other}`);
    else if (!known.has(address)) fail(`mergeData.${written}`, 'unknown-field', 'it is none of the recipients in to');
    keys.set(address, written);
  }
  return keys;
}
