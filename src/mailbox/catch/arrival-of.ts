import { composeMessage } from '../../mime/compose/compose.ts';
import { generateMessageId } from '../../mime/compose/message-id.ts';
import type { EmailMessage } from '../../model/message.ts';
import { copyJson } from '../../util/json.ts';
import type { Arrival } from '../store/caught-mail.ts';

/** Fields that no mail carries, but that the developer wants to see. */
const FACTS = [
  'templateId',
  'mergeData',
  'mergeGlobalData',
  'priority',
  'dsn',
  'sendAt',
  'idempotencyKey',
  'espExtra',
] as const;
const FLAGS = ['trackOpens', 'trackClicks', 'requireTls'] as const;

/** A message of this library as the mailbox catches it; all of its content must be in memory. */
export function arrivalOf(message: EmailMessage): Omit<Arrival, 'via'> & { readonly messageId: string } {
  const messageId = message.messageId ?? generateMessageId(message);
  const { from, envelopeSender } = message.parsed;
  const values = FACTS.flatMap((name) => (message[name] === null ? [] : [[name, message[name]] as const]));
  const flags = FLAGS.filter((name) => message[name]).map((name) => [name, true] as const);
  return {
    messageId,
    bytes: composeMessage(message, { messageId }),
    envelope: {
      from: message.envelopeSender === '' ? '' : (envelopeSender ?? from).address,
      to: message.recipients.map(({ address }) => address),
    },
    tags: message.tags,
    metadata: message.metadata,
    // The message was checked to hold nothing but JSON, and a Date is a text there.
    facts: Object.fromEntries([...values, ...flags].map(([name, value]) => [name, copyJson(value, () => {})])),
  };
}
