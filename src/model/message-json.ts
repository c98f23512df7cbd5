import type { AttachmentInit } from './attachment.ts';
import { MessageError, type MessageIssueCode } from './errors.ts';
import type { EmailMessage } from './message.ts';
import type { EmailMessageInit } from './message-init.ts';

/** What `EmailMessage.toJSON` returns: the fields that differ from their defaults, contents as text or base64. */
export type MessageJson = Omit<EmailMessageInit, 'attachments' | 'date' | 'sendAt'> & {
  /** ISO 8601, UTC. */
  readonly date?: string | null;
  /** ISO 8601, UTC. */
  readonly sendAt?: string | null;
  readonly attachments?: readonly AttachmentJson[];
};

/** One attachment in {@link MessageJson}: its content is either `text` or `base64`. */
export type AttachmentJson = {
  readonly filename: string | null;
  readonly mimetype: string;
  readonly contentId: string | null;
} & ({ readonly text: string } | { readonly base64: string });

export function messageToJson(message: EmailMessage): MessageJson {
  const { attachments } = message;
  return {
    ...fieldsToJson(message),
    ...(attachments.length > 0 && {
      attachments: attachments.map(({ filename, mimetype, contentId, content }, index): AttachmentJson => {
        if (typeof content === 'string') return { filename, mimetype, contentId, text: content };
        if (content instanceof Uint8Array) return { filename, mimetype, contentId, base64: toBase64(content) };
        const advice = 'a Blob or a stream has no JSON form; call `await message.materialize()` first';
        throw fault(`attachments[${index}].content`, 'type', advice);
      }),
    }),
  };
}

/** All fields but the attachments. */
export function fieldsToJson(message: EmailMessage): Omit<MessageJson, 'attachments'> {
  const { subject, body } = message;
  // An empty `body` stays, as it is not a missing one.
  const json: Record<string, unknown> = { subject, body };
  for (const [name, value] of Object.entries(message)) {
    if (name === 'attachments' || isDefault(name, value)) continue;
    json[name] = value instanceof Date ? value.toISOString() : value;
  }
  return json as unknown as MessageJson; // these are the message's own fields
}

export function messageFromJson(json: MessageJson): EmailMessageInit {
  if (typeof json !== 'object' || json === null) throw fault('message', 'type', 'must be what toJSON writes');
  const { attachments, ...fields } = json;
  if (attachments && !Array.isArray(attachments)) throw fault('attachments', 'type', 'must be an array');
  return { ...fieldsFromJson(fields), ...(attachments && { attachments: attachments.map(attachmentFromJson) }) };
}

/** What {@link fieldsToJson} has written. */
export function fieldsFromJson(fields: Omit<MessageJson, 'attachments'>): EmailMessageInit {
  const { date, sendAt } = fields;
  return {
    ...fields,
    ...(date !== undefined && { date: dateFromJson(date) }),
    ...(sendAt !== undefined && { sendAt: dateFromJson(sendAt) }),
  } as EmailMessageInit; // no date is a text any more
}

/** Anything but text is refused when the message is validated. */
function dateFromJson(value: string | null): Date | null {
  return typeof value === 'string' ? new Date(value) : value;
}

function attachmentFromJson(attachment: AttachmentJson, index: number): AttachmentInit {
  if (typeof attachment !== 'object' || attachment === null) return attachment;
  if (!('base64' in attachment)) {
    const { text, ...fields } = attachment;
    return { ...fields, content: text };
  }
  const { base64, ...fields } = attachment;
  // Buffer.from skips whatever is not base64, and would silently shorten the content.
  if (typeof base64 !== 'string' || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw fault(`attachments[${index}].base64`, 'range', 'must be base64');
  }
  return { ...fields, content: Buffer.from(base64, 'base64') };
}

function fault(path: string, code: MessageIssueCode, message: string): MessageError {
  return new MessageError([{ path, code, message }]);
}

/** An empty string or record is not the default of a field whose default is null. */
function isDefault(name: string, value: unknown): boolean {
  if (value === null || value === false) return true;
  if (name === 'headers' || name === 'metadata') return Object.keys(value as object).length === 0; // always records
  return Array.isArray(value) && value.length === 0;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
