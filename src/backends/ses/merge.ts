import { addressKey, parseMailbox } from '../../address.ts';
import { MessageError, type MessageIssue } from '../../errors.ts';
import type { EmailMessage } from '../../message.ts';
import { type Addressee, addresseesOf, chunksOf, destinationOf, headerForm, MAX_RECIPIENTS } from './addresses.ts';
import { dataIssues } from './content.ts';
import type { BulkEntry } from './requests.ts';

/** What becomes one entry of a bulk request. */
export interface MergeEntry {
  readonly addressees: readonly Addressee[];
  /** The variables, in JSON. */
  readonly json: string;
}

/**
 * One mail for each To, with its own variables; a single To takes Cc and Bcc with it.
 *
 * @throws {MessageError} `invalid-message` when keys of `mergeData` and To do not fit together, or several To have Cc or Bcc.
 */
export function mergeEntries(message: EmailMessage): readonly MergeEntry[] {
  const all = addresseesOf(message);
  const to = message.cc.length + message.bcc.length === 0 ? all : all.filter(({ list }) => list === 'ToAddresses');
  const data = exactMergeData(message, to) ?? readMergeData(message, to);
  if (to.length === 1)
    return chunksOf(all, MAX_RECIPIENTS).map((addressees) => ({ addressees, json: data[0] ?? '{}' }));
  return to.map((addressee, index) => ({ addressees: [addressee], json: data[index] ?? '{}' }));
}

/** The entry as the API has it. */
export function bulkEntry({ addressees, json }: MergeEntry): BulkEntry {
  return {
    Destination: destinationOf(addressees, headerForm),
    ReplacementEmailContent: { ReplacementTemplate: { ReplacementTemplateData: json } },
  };
}

/** The usual case, without parsing keys: each To has its own, spelled as in To, and there are no others; null when it is not so. */
function exactMergeData({ mergeData, cc, bcc }: EmailMessage, to: readonly Addressee[]): readonly string[] | null {
  if (mergeData === null || (to.length > 1 && cc.length + bcc.length > 0)) return null;
  if (to.length === 0 || Object.keys(mergeData).length !== to.length) return null;
  const data: string[] = [];
  for (const { mailbox } of to) {
    if (!Object.hasOwn(mergeData, mailbox.address)) return null;
    const json = JSON.stringify(mergeData[mailbox.address]);
    if (dataIssues('', json).length > 0) return null;
    data.push(json);
  }
  return data;
}

/** The variables of each To, in JSON. */
function readMergeData(message: EmailMessage, to: readonly Addressee[]): readonly string[] {
  const { mergeData, mergeGlobalData, cc, bcc } = message;
  const issues: MessageIssue[] = [];
  if (to.length === 0) {
    const text = 'mergeData speaks of recipients in to, and there is none';
    issues.push({ path: 'to', code: 'required', message: text });
  }
  if (to.length > 1 && cc.length + bcc.length > 0) {
    const text = `each of the ${to.length} recipients in to gets a mail of its own, and each of these would go to ${cc.length > 0 ? 'cc' : 'bcc'} too: send to one recipient at a time, or leave cc and bcc out`;
    issues.push({ path: cc.length > 0 ? 'cc' : 'bcc', code: 'unsupported', message: text });
  }
  const unused = new Map<string, { readonly written: string; readonly json: string }>();
  for (const [written, variables] of Object.entries(mergeData ?? {})) {
    const key = addressKey(parseMailbox(written));
    const path = `mergeData.${written}`;
    const other = unused.get(key);
    if (other) issues.push({ path, code: 'duplicate', message: `it is the same address as ${other.written}` });
    const json = JSON.stringify(variables);
    issues.push(...dataIssues(path, json));
    unused.set(key, { written, json });
  }
  const data = to.map(({ mailbox }) => {
    const key = addressKey(mailbox);
    const own = unused.get(key);
    unused.delete(key);
    if (own === undefined && mergeGlobalData === null) {
      const text = 'there are no variables for this recipient of to: add them, or give mergeGlobalData';
      issues.push({ path: `mergeData.${mailbox.address}`, code: 'required', message: text });
    }
    return own?.json ?? '{}';
  });
  for (const { written } of unused.values()) {
    const text = 'it is none of the recipients in to';
    issues.push({ path: `mergeData.${written}`, code: 'unknown-field', message: text });
  }
  if (issues.length > 0) throw new MessageError(issues);
  return data;
}
