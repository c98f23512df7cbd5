import type { Messages } from '../backend/call/message-source.ts';
import { EmailMessage } from '../model/message.ts';
import type { EmailMessageDraft } from '../model/message-init.ts';

export function isOne(mails: EmailMessage | EmailMessageDraft | Messages): mails is EmailMessage | EmailMessageDraft {
  return !(Symbol.iterator in mails || Symbol.asyncIterator in mails);
}

/** The messages with the key and the time that all of them are given. */
export async function* withFields(
  messages: Messages | readonly (EmailMessage | EmailMessageDraft)[],
  key: string | undefined,
  sendAt: Date | undefined,
): AsyncGenerator<EmailMessage | EmailMessageDraft, void, undefined> {
  let place = 0;
  const isList = !(Array.isArray(messages) && messages.length === 1);
  for await (const message of messages) {
    const idempotencyKey = key === undefined ? null : isList ? `${key}:${place++}` : key;
    const fields = { ...(idempotencyKey !== null && { idempotencyKey }), ...(sendAt && { sendAt }) };
    if (Object.keys(fields).length === 0) yield message;
    else yield message instanceof EmailMessage ? message.with(fields) : { ...message, ...fields };
  }
}
