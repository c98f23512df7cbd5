import { readContent, readText } from './content.ts';
import { findPart, leavesOf, type MimePart, type MimeTree, readMime } from './mime-tree.ts';

/** A message as a mail client shows it: its body and its attachments, decoded on demand. */
export class MailContent {
  readonly bytes: Uint8Array;
  readonly tree: MimeTree;
  /** The part shown as plain text, or null. */
  readonly textPart: MimePart | null;
  /** The part shown as HTML, or null. */
  readonly htmlPart: MimePart | null;
  /** Every other leaf, in order: attachments and inline images. */
  readonly attachments: readonly MimePart[];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.tree = readMime(bytes);
    const leaves = leavesOf(this.tree.root);
    const isBody = (type: string) => (part: MimePart) => part.mediaType === type && part.disposition !== 'attachment';
    this.textPart = leaves.find(isBody('text/plain')) ?? null;
    this.htmlPart = leaves.find(isBody('text/html')) ?? null;
    this.attachments = leaves.filter(
      (part) => part !== this.textPart && part !== this.htmlPart && !part.mediaType.startsWith('multipart/'),
    );
  }

  /** The first `limit` characters of the plain text; null when there is none. */
  text(limit: number = Number.POSITIVE_INFINITY): string | null {
    return this.#read(this.textPart, limit);
  }

  /** The first `limit` characters of the HTML; null when there is none. */
  html(limit: number = Number.POSITIVE_INFINITY): string | null {
    return this.#read(this.htmlPart, limit);
  }

  /** The part at a path with its decoded content, or null. */
  content(path: string): { readonly part: MimePart; readonly bytes: Uint8Array } | null {
    const part = findPart(this.tree.root, path);
    return part === null ? null : { part, bytes: readContent(this.bytes, part) };
  }

  #read(part: MimePart | null, limit: number): string | null {
    if (part === null) return null;
    // 12 is the most bytes an encoding needs for a character: four, each as `=XX`.
    const end = Math.min(part.end, part.start + limit * 12);
    return readText(this.bytes, end === part.end ? part : { ...part, end }).slice(0, limit);
  }
}
