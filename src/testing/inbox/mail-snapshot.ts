import { composeMessage } from '../../mime/compose/compose.ts';
import { readContent, readText } from '../../mime/read/content.ts';
import { decodeWords } from '../../mime/read/decode-words.ts';
import { leavesOf, type MimePart, readMime } from '../../mime/read/mime-tree.ts';
import { InboxMessage } from './inbox-message.ts';

/** A serializer for `expect.addSnapshotSerializer` of Vitest and Jest. */
export interface MailSnapshotSerializer {
  /** Whether a value is a message of an inbox. */
  test(value: unknown): boolean;
  /** The message as text. */
  serialize(value: InboxMessage): string;
}

const FIXED = { messageId: 'message-id@example.com', date: new Date(0) };

/**
 * Writes a message for a snapshot: recipients, headers and decoded parts, with a fixed Message-ID, Date and boundary. Content
 * that is not text appears as its size and SHA-256.
 */
export function mailSnapshot({ sent, recipients }: InboxMessage): string {
  const bytes = composeMessage(sent.with(FIXED), { boundary: 'boundary' });
  const { root } = readMime(bytes);
  const headers = root.headers.map(({ name, value }) => `${name}: ${decodeWords(value)}`);
  const parts = leavesOf(root).map((part) => `--- ${describe(part)}\n${contentOf(bytes, part)}`);
  return [[`Recipients: ${recipients.join(', ')}`, ...headers].join('\n'), ...parts].join('\n\n');
}

/** Writes messages of an inbox into snapshots by {@link mailSnapshot}. */
export const mailSnapshotSerializer: MailSnapshotSerializer = Object.freeze({
  test: (value: unknown) => value instanceof InboxMessage,
  serialize: mailSnapshot,
});

function describe({ mediaType, filename, contentId, disposition }: MimePart): string {
  const facts = [mediaType, disposition, filename, contentId && `cid:${contentId}`];
  return facts.filter((fact) => fact !== null).join(', ');
}

function contentOf(bytes: Uint8Array, part: MimePart): string {
  if (part.mediaType.startsWith('text/')) return readText(bytes, part).replaceAll('\r\n', '\n').replace(/\n$/, '');
  const content = readContent(bytes, part);
  const { createHash } = process.getBuiltinModule('node:crypto');
  return `${content.length} bytes, sha256 ${createHash('sha256').update(content).digest('hex')}`;
}
