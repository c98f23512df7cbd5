import { MessageError } from './errors.ts';
import type { EmailMessage } from './message.ts';
import type { EmailMessageInit } from './message-init.ts';

/** What `EmailMessage.toJSON` writes: the fields that are not at their default, contents as text or base64. */
export type MessageJson = Omit<EmailMessageInit, 'attachments' | 'date'> & {
  /** ISO 8601, UTC. */
  readonly date?: string | null;
  readonly attachments?: readonly AttachmentJson[];
};

/** One attachment in {@link MessageJson}: its content is either `text` or `base64`. */
export type AttachmentJson = {
  readonly filename: string | null;
  readonly mimetype: string;
  readonly contentId: string | null;
} & ({ readonly text: string } | { readonly base64: string });

export function messageToJson(message: EmailMessage): MessageJson {
  const { attachments, date, ...fields } = message;
  const written = Object.entries(fields).filter(([, value]) => !isDefault(value));
  // These are the message's own fields; `body` stays even when empty, as an empty body is not a missing one.
  const json = { ...Object.fromEntries(written), subject: message.subject, body: message.body } as MessageJson;
  return {
    ...json,
    ...(message.envelopeSender === '' && { envelopeSender: '' }),
    ...(date !== null && { date: date.toISOString() }),
    ...(attachments.length > 0 && {
      attachments: attachments.map(({ filename, mimetype, contentId, content }, index): AttachmentJson => {
        if (typeof content === 'string') return { filename, mimetype, contentId, text: content };
        if (content instanceof Uint8Array) return { filename, mimetype, contentId, base64: toBase64(content) };
        throw new MessageError([
          {
            path: `attachments[${index}].content`,
            code: 'type',
            message: 'a Blob or a stream has no JSON form; call `await message.materialize()` first',
          },
        ]);
      }),
    }),
  };
}

export function messageFromJson(json: MessageJson): EmailMessageInit {
  const { attachments, date, ...fields } = json;
  return {
    ...fields,
    ...(typeof date === 'string' && { date: new Date(date) }),
    ...(attachments && {
      attachments: attachments.map((attachment) => ({
        filename: attachment.filename,
        mimetype: attachment.mimetype,
        contentId: attachment.contentId,
        content: 'text' in attachment ? attachment.text : Buffer.from(attachment.base64, 'base64'),
      })),
    }),
  };
}

function isDefault(value: unknown): boolean {
  if (value === null || value === false || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
