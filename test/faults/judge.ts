import { EmailError, type MessageResult, type RecipientStatus } from '../../src/index.ts';
import type { ClientSockets } from './client-sockets.ts';
import type { Ledger } from './ledger.ts';
import { readable, type TrialMail } from './trial-mails.ts';

/** A way in which what was told, or done, is not the truth. */
export interface Contradiction {
  /** To count by. */
  readonly kind: string;
  readonly text: string;
  /** The mail it is about, by its Message-ID; '' when it is about the case. */
  readonly messageId: string;
  /** Whether no server may bring it about, even one that breaks RFC 5321. */
  readonly isGrave: boolean;
}

/** Holds what was told of every recipient against what the server took; times play no part. */
export function* judge(
  mails: readonly TrialMail[],
  told: ReadonlyMap<TrialMail, MessageResult | EmailError>,
  ledger: Ledger,
  sockets: ClientSockets,
): Generator<Contradiction> {
  let joined: readonly string[] | null = null;
  const written = (): readonly string[] => {
    joined ??= sockets.written;
    return joined;
  };
  yield* judgeContents(mails, ledger);
  for (const text of ledger.breaches) yield contradiction('a breach of SMTP', '', text);
  for (const text of sockets.writtenAfter421)
    yield { ...contradiction('written after 421', '', JSON.stringify(text.slice(0, 200))), isGrave: true };
  for (const mail of mails) {
    const answer = told.get(mail);
    for (const recipient of mail.recipients) {
      const times = ledger.times(mail.messageId, recipient);
      const about = (kind: string) => contradiction(kind, mail.messageId, `${recipient} (taken ${times} times)`);
      if (times > 1) yield about('taken twice');
      if (answer === undefined) continue;
      if (answer instanceof EmailError) {
        if (times > 0 && answer.outcome === 'not-sent') yield about('thrown as not sent, but taken');
        continue;
      }
      const status = answer.recipients.get(recipient);
      if (!status) yield about('without a status');
      else yield* judgeStatus(status, mail, ledger, written);
    }
  }
}

function* judgeStatus(
  { address, status, retryable, error, code }: RecipientStatus,
  mail: TrialMail,
  ledger: Ledger,
  written: () => readonly string[],
): Generator<Contradiction> {
  const times = ledger.times(mail.messageId, address);
  const about = (kind: string) =>
    contradiction(kind, mail.messageId, `${address} is '${status}' (${code}), taken ${times} times`);
  switch (status) {
    case 'sent':
      if (times === 0) yield about('sent, but not taken');
      else if (!ledger.isConfirmed(mail.messageId, address)) yield about('sent, but never confirmed');
      break;
    case 'unknown':
      if (!hasLeft(mail, written())) yield about('unknown, though its content never left');
      if (retryable) yield about('unknown and retryable');
      break;
    default:
      if (times > 0) yield about(`${status}, but taken`);
      if (retryable && times > 0) yield about('retryable, but taken');
  }
  if (status !== 'sent' && !error) yield about(`${status} without an error`);
}

function* judgeContents(mails: readonly TrialMail[], { taken }: Ledger): Generator<Contradiction> {
  for (const { messageId, sender, recipients, content } of taken) {
    const mail = mails.find((candidate) => candidate.messageId === messageId);
    if (!mail || readable(content) !== mail.content) {
      yield { ...contradiction('content damaged', messageId, JSON.stringify(content.slice(0, 300))), isGrave: true };
      continue;
    }
    const strangers = recipients.filter((recipient) => !mail.recipients.includes(recipient));
    if (strangers.length > 0)
      yield { ...contradiction("another mail's content", messageId, `to ${strangers.join(', ')}`), isGrave: true };
    if (sender !== mail.sender)
      yield { ...contradiction("another mail's sender", messageId, `from ${sender}`), isGrave: true };
  }
}

/** Whether the end of the content was handed to a connection: with its dot, or in a chunk. */
function hasLeft({ end, messageId }: TrialMail, written: readonly string[]): boolean {
  if (end === null) return true;
  return written.some((text) => {
    if (text.includes(`${end}.\r\n`)) return true;
    const at = text.lastIndexOf(end);
    const start = text.lastIndexOf(`<${messageId}>`, at);
    return at >= 0 && text.lastIndexOf(' LAST\r\n', start) > text.lastIndexOf('\r\nDATA\r\n', start);
  });
}

function contradiction(kind: string, messageId: string, text: string): Contradiction {
  return { kind, messageId, text: `${kind}: ${messageId}: ${text}`, isGrave: false };
}
