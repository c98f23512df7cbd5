import { readText } from './content.ts';
import { textOfHtml } from './html-text.ts';
import { type MimePart, withoutBrackets } from './mime-tree.ts';
import { unflow } from './unflow.ts';

/** The leaf parts of a mail by their role. */
interface MailBody {
  /** The plain text; null when there is none. */
  readonly text: string | null;
  /** The HTML; null when there is none. */
  readonly html: string | null;
  /** Other forms of the body, such as an invitation. */
  readonly forms: readonly MimePart[];
  /** Files, inline images, forwarded mails. */
  readonly files: readonly MimePart[];
}

/** The body text at one place in a mail: plain and HTML when the reader can choose. */
interface Shown {
  readonly texts: string[];
  readonly htmls: string[];
}

/** A leaf part and its position. */
interface Leaf {
  readonly part: MimePart;
  /** The innermost multipart/alternative around it. */
  readonly alternative: MimePart | null;
  /** Whether it is in a multipart/related but not its root, which refers to it (RFC 2387). */
  readonly isReferred: boolean;
}

/** Invitations and AMP are forms of the body anywhere in a mail. */
const FORMS: readonly string[] = ['text/calendar', 'text/x-amp-html'];

/**
 * Reads the text, HTML, other forms and files of a mail. A body in several places, as mailing lists and Apple Mail make it,
 * is joined; if one place has only text and another only HTML, each is converted for the other form.
 */
export function readBody(bytes: Uint8Array, root: MimePart): MailBody {
  const places = new Map<MimePart, Shown>();
  const forms: MimePart[] = [];
  const files: MimePart[] = [];
  const leaves = placedLeaves({ part: root, alternative: null, isReferred: false });
  for (const leaf of leaves) {
    const { part, alternative } = leaf;
    const isFirst = leaf === leaves[0];
    if (isShown(leaf, isFirst) || isUnreadable(bytes, part)) {
      const place = places.get(alternative ?? part) ?? { texts: [], htmls: [] };
      places.set(alternative ?? part, place);
      (part.mediaType === 'text/html' ? place.htmls : place.texts).push(readBodyText(bytes, part));
    } else if (isForm(leaf, isFirst)) forms.push(part);
    else if (!part.mediaType.startsWith('multipart/')) files.push(part);
  }
  const shown = [...places.values()];
  return {
    text: shown.some(({ texts }) => texts.length > 0) ? shown.flatMap(textsOf).join('\n') : null,
    html: shown.some(({ htmls }) => htmls.length > 0) ? shown.flatMap(htmlsOf).join('\n') : null,
    forms,
    files,
  };
}

function placedLeaves({ part, alternative, isReferred }: Leaf): readonly Leaf[] {
  const { children, mediaType } = part;
  if (children.length === 0 || mediaType === 'message/rfc822') return [{ part, alternative, isReferred }];
  const shown = mediaType === 'multipart/related' ? rootOf(part) : null;
  return children.flatMap((child) =>
    placedLeaves({
      part: child,
      alternative: mediaType === 'multipart/alternative' ? part : alternative,
      isReferred: isReferred || (shown !== null && child !== shown),
    }),
  );
}

/** The part of a multipart/related that refers to the others: the one that `start` names, or the first (RFC 2387, section 3.2). */
function rootOf({ children, parameters }: MimePart): MimePart | undefined {
  const start = withoutBrackets(parameters['start'] ?? '');
  return children.find(({ contentId }) => contentId !== null && contentId === start) ?? children[0];
}

/** Text with a file name is an attachment, unless the mail begins with it. */
function isShown(leaf: Leaf, isFirst: boolean): boolean {
  const { mediaType, disposition } = leaf.part;
  return isBodyType(mediaType) && disposition !== 'attachment' && (isFirst || !hasName(leaf));
}

/** A multipart in which no part was found is text, so that nothing of it is lost. */
function isUnreadable(bytes: Uint8Array, part: MimePart): boolean {
  return part.mediaType.startsWith('multipart/') && readText(bytes, part).trim() !== '';
}

/** Other text is a form of the body beside the usual ones, or where the mail begins with it. */
function isForm(leaf: Leaf, isFirst: boolean): boolean {
  const { mediaType, disposition } = leaf.part;
  const isOther = (leaf.alternative !== null || isFirst) && mediaType.startsWith('text/') && !isBodyType(mediaType);
  return (FORMS.includes(mediaType) || isOther) && disposition === null && !hasName(leaf);
}

function isBodyType(mediaType: string): boolean {
  return mediaType === 'text/plain' || mediaType === 'text/html';
}

function hasName({ part, isReferred }: Leaf): boolean {
  return part.filename !== null || (isReferred && part.contentId !== null);
}

function readBodyText(bytes: Uint8Array, part: MimePart): string {
  const text = readText(bytes, part).replaceAll('\r\n', '\n');
  if (part.mediaType !== 'text/plain' || part.parameters['format']?.toLowerCase() !== 'flowed') return text;
  return unflow(text, part.parameters['delsp']?.toLowerCase() === 'yes');
}

function textsOf({ texts, htmls }: Shown): readonly string[] {
  return texts.length > 0 ? texts : htmls.map((html) => textOfHtml(html).trim());
}

function htmlsOf({ texts, htmls }: Shown): readonly string[] {
  return htmls.length > 0 ? htmls : texts.map(htmlOfText);
}

function htmlOfText(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<div>${escaped.replaceAll('\n', '<br>\n')}</div>`;
}
