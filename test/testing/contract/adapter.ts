import { SendError } from '../../../src/model/errors.ts';
import type { AddressList, EmailMessageInit } from '../../../src/model/message-init.ts';
import { type MessageResult, type RecipientStatus, recipientStatus, SendStatus } from '../../../src/model/status.ts';
import type { ContractBackend } from '../../../src/testing/contract/subject.ts';

/** What a library says of one message: its id, and whom it names as refused. */
interface Answer {
  readonly id: string | null;
  readonly refused?: readonly string[];
}

/** Sends one message with a library; throws as the library does. */
export type SendOne = (message: EmailMessageInit, signal: AbortSignal | undefined) => Promise<Answer>;

/** Tells what a library that sends one message at a time says, in the words of the contract, and adds nothing to it. */
export function sendWith(sendOne: SendOne): ContractBackend['sendMessages'] {
  return async (messages, { signal } = {}) => {
    const results: MessageResult[] = [];
    for await (const message of messages) {
      const base = { index: results.length, ignored: [], espResponse: null };
      const addresses = [message.to, message.cc, message.bcc].flatMap(bare);
      try {
        const { id, refused = [] } = await sendOne(message, signal);
        const rejected = new SendError('rejected', 'refused');
        const recipients = addresses.map((address) =>
          refused.includes(address)
            ? recipientStatus(address, 'rejected', { error: rejected })
            : recipientStatus(address, 'sent', { messageId: id }),
        );
        results.push({ ...base, messageId: id, recipients: byAddress(recipients), error: null });
      } catch (cause) {
        const error = new SendError('provider', cause instanceof Error ? cause.message : String(cause), { cause });
        const recipients = addresses.map((address) => recipientStatus(address, 'failed', { error }));
        results.push({ ...base, messageId: null, recipients: byAddress(recipients), error });
      }
    }
    const status = new SendStatus(results);
    if (results.length > 0 && results.every(({ error }) => error !== null)) {
      throw Object.assign(new Error(status.error?.message), { status });
    }
    return status;
  };
}

function bare(list: AddressList | undefined): readonly string[] {
  if (list === undefined) return [];
  const entries = Array.isArray(list) ? list : [list];
  return entries.map((entry) =>
    typeof entry === 'string' ? (/<([^<>]*)>\s*$/.exec(entry)?.[1] ?? entry) : entry.address,
  );
}

function byAddress(recipients: readonly RecipientStatus[]): ReadonlyMap<string, RecipientStatus> {
  return new Map(recipients.map((recipient) => [recipient.address, recipient]));
}
