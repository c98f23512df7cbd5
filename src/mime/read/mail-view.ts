import { namedContentIds } from '../lint/lint-html.ts';
import { readContent } from './content.ts';
import { decodeWords } from './decode-words.ts';
import { htmlTags } from './html-tags.ts';
import { linksOf } from './links.ts';
import type { MailContent } from './mail-content.ts';
import type { MimePart } from './mime-tree.ts';

/** A part of the MIME tree, for display. */
interface PartView {
  readonly path: string;
  readonly mediaType: string;
  readonly encoding: string;
  readonly disposition: string | null;
  readonly filename: string | null;
  readonly contentId: string | null;
  readonly charset: string | null;
  /** Decoded size in bytes; estimated for large parts. */
  readonly size: number;
  readonly children: readonly PartView[];
}

/** An attachment or inline image, for display. */
interface AttachmentView extends Omit<PartView, 'children'> {
  /** Whether the HTML refers to it by its Content-ID. */
  readonly isInline: boolean;
}

const MAX_BODY = 5_000_000;
const MAX_LINKS = 500;
const EXACT_SIZE = 1_000_000;

/** The details of a mail that are not in the list: headers, bodies, structure, links. */
export interface MailDetail {
  /** Decoded, in order. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** At most 5,000,000 characters; lines end with LF. */
  readonly text: string | null;
  /** At most 5,000,000 characters. */
  readonly html: string | null;
  readonly files: readonly AttachmentView[];
  readonly tree: PartView;
  /** False when the message exceeds a limit on parts, levels or headers. */
  readonly isComplete: boolean;
  /** URLs that the text and the HTML link to, without duplicates. */
  readonly links: readonly string[];
  /** How many remote images and styles the HTML loads. */
  readonly remoteImages: number;
}

/** Decodes a mail for display. */
export function viewMail(content: MailContent): MailDetail {
  const text = content.text(MAX_BODY)?.replaceAll('\r\n', '\n') ?? null;
  const html = content.html(MAX_BODY);
  const named = namedContentIds(html ?? '');
  return {
    headers: content.tree.root.headers.map(({ name, value }) => ({ name, value: decodeWords(value) })),
    text,
    html,
    files: content.attachments.map((part) => ({
      ...viewLeaf(content, part),
      isInline: part.contentId !== null && named.has(part.contentId),
    })),
    tree: viewPart(content, content.tree.root),
    isComplete: content.tree.isComplete,
    links: linksOf(text, html).slice(0, MAX_LINKS),
    remoteImages: html === null ? 0 : countRemoteImages(html),
  };
}

function viewPart(content: MailContent, part: MimePart): PartView {
  return { ...viewLeaf(content, part), children: part.children.map((child) => viewPart(content, child)) };
}

function viewLeaf(content: MailContent, part: MimePart): Omit<PartView, 'children'> {
  const { path, mediaType, encoding, disposition, filename, contentId, parameters } = part;
  const charset = parameters['charset'] ?? null;
  return { path, mediaType, encoding, disposition, filename, contentId, charset, size: decodedSize(content, part) };
}

function decodedSize(content: MailContent, part: MimePart): number {
  const raw = part.end - part.start;
  if (part.children.length > 0 || (part.encoding !== 'base64' && part.encoding !== 'quoted-printable')) return raw;
  if (raw <= EXACT_SIZE) return readContent(content.bytes, part).length;
  return part.encoding === 'base64' ? Math.floor((raw * 57) / 78) : raw;
}

function countRemoteImages(html: string): number {
  let count = 0;
  for (const { attributes } of htmlTags(html)) {
    const source = attributes.get('src') ?? attributes.get('background') ?? '';
    const style = attributes.get('style') ?? '';
    if (/^\s*(https?:)?\/\//i.test(source) || /url\(\s*["']?\s*(https?:)?\/\//i.test(style)) count++;
  }
  return count;
}
