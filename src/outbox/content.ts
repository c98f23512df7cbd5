import type { Attachment, AttachmentInit } from '../model/attachment.ts';
import { EmailMessage } from '../model/message.ts';
import type { EmailMessageInit } from '../model/message-init.ts';
import { fieldsFromJson, fieldsToJson, type MessageJson } from '../model/message-json.ts';
import { reasonOf } from '../util/reason.ts';
import { DamagedContent, type Seal } from './seal.ts';
import type { Blob } from './store.ts';

/** Content of which the bytes are kept apart, for all mails that have the same. */
interface Apart {
  readonly hash: string;
}

/** A message as it is kept: long texts and the contents of attachments apart. */
interface KeptMessage {
  readonly fields: Omit<MessageJson, 'attachments'>;
  readonly texts: { readonly body?: Apart; readonly htmlBody?: Apart };
  readonly attachments: readonly KeptAttachment[];
}

interface KeptAttachment extends Apart, Omit<AttachmentInit, 'content'> {
  /** Whether its content is text. */
  readonly isText: boolean;
}

/** Shorter texts are kept with the message, in characters. */
const LONG = 2_048;

/** A message and its content as a store keeps them. */
export interface KeptContent {
  readonly content: Uint8Array;
  readonly blobs: readonly Blob[];
}

/** What a message is kept as. @param message with its content in memory */
export function keepMessage(message: EmailMessage, seal: Seal): KeptContent {
  const blobs = new Map<string, Blob>();
  const apart = (content: string | Uint8Array): Apart => {
    const blob = seal.blob(content);
    blobs.set(blob.hash, blob);
    return { hash: blob.hash };
  };
  const { body, htmlBody, attachments } = message;
  const texts = {
    ...(body.length > LONG && { body: apart(body) }),
    ...(htmlBody !== null && htmlBody.length > LONG && { htmlBody: apart(htmlBody) }),
  };
  const fields: Record<string, unknown> = { ...fieldsToJson(message) };
  for (const field of Object.keys(texts)) delete fields[field];
  const kept = {
    fields,
    texts,
    attachments: attachments.map((attachment) => keepAttachment(attachment, apart)),
  };
  return { content: seal.close(Buffer.from(JSON.stringify(kept))), blobs: [...blobs.values()] };
}

function keepAttachment(
  { filename, mimetype, contentId, content }: Attachment,
  apart: (content: string | Uint8Array) => Apart,
): KeptAttachment {
  const isText = typeof content === 'string';
  return { filename, mimetype, contentId, isText, ...apart(content as string | Uint8Array) }; // read before
}

/**
 * The message that was kept.
 *
 * @param blobsOf finds contents by their hashes
 * @throws {ConfigurationError} `invalid-key` when it is sealed with a key that is not given
 * @throws {DamagedContent} when it cannot be read; what `blobsOf` rejects with passes as it is
 */
export async function keptMessage(
  content: Uint8Array,
  seal: Seal,
  blobsOf: (hashes: readonly string[]) => Promise<ReadonlyMap<string, Uint8Array>>,
): Promise<EmailMessage> {
  const opened = seal.open(content);
  const { fields, texts, attachments } = undamaged(() => JSON.parse(textOf(opened)) as KeptMessage); // written above
  const hashes = [...Object.values(texts), ...attachments].map(({ hash }) => hash);
  const blobs = hashes.length === 0 ? NO_BLOBS : await blobsOf(hashes);
  const bytesOf = ({ hash }: Apart): Uint8Array => {
    const bytes = blobs.get(hash);
    if (bytes === undefined) throw new DamagedContent(`a part of its content, ${hash}, is not in the store`);
    return bytes;
  };
  const { body, htmlBody } = texts;
  return undamaged(
    () =>
      new EmailMessage({
        ...fieldsFromJson(fields),
        ...(body && { body: textOf(bytesOf(body)) }),
        ...(htmlBody && { htmlBody: textOf(bytesOf(htmlBody)) }),
        attachments: attachments.map(({ hash, isText, ...attachment }) => {
          const bytes = bytesOf({ hash });
          return { ...attachment, content: isText ? textOf(bytes) : bytes };
        }),
      } as EmailMessageInit),
  );
}

/** What reads content that a store gave. @throws {DamagedContent} for whatever it throws */
function undamaged<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof DamagedContent ? cause : new DamagedContent(reasonOf(cause), { cause });
  }
}

const NO_BLOBS: ReadonlyMap<string, Uint8Array> = /* @__PURE__ */ new Map();

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
