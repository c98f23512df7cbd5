import { type HtmlTag, htmlTags } from '../read/html-tags.ts';
import { finding, findings, type LintFinding } from './finding.ts';
import { lintScripts } from './lint-scripts.ts';

/** Bytes of HTML beyond which Gmail clips a message. */
const GMAIL_CLIP = 102 * 1024;
const CID = /(?:["'(=]|^)\s*cid:([^"'()\s<>]+)/gi;

/** Checks the HTML part and its references to the message's inline images. */
export function* lintHtml(html: string, contentIds: ReadonlySet<string>): Generator<LintFinding> {
  const size = new TextEncoder().encode(html).length;
  if (size > GMAIL_CLIP) {
    yield finding(
      'html-size',
      'warning',
      `The HTML has ${Math.ceil(size / 1024)} KB; Gmail cuts it at 102 KB and hides the rest behind a link.`,
      'Remove unused styles and white space, and take images out of the HTML: inlineImages: true makes them attachments.',
    );
  }
  yield* lintTags(html);
  yield* lintScripts(html);
  yield* lintContentIds(html, contentIds);
}

function* lintTags(html: string): Generator<LintFinding> {
  const withoutAlt: string[] = [];
  const withoutSize: string[] = [];
  const insecure = new Set<string>();
  for (const tag of htmlTags(html)) {
    const { name, attributes } = tag;
    if (name === 'img') {
      const shown = attributes.get('src') || '<img> without src';
      if (!attributes.has('alt')) withoutAlt.push(shown);
      if (!hasSize(tag)) withoutSize.push(shown);
    }
    const target = attributes.get(name === 'a' || name === 'area' ? 'href' : 'src');
    if (target !== undefined && /^\s*http:/i.test(target)) insecure.add(target.trim());
  }
  yield* findings(
    'image-alt',
    'warning',
    'An image has no alt text; many readers block images, and some people do not see them.',
    'Write alt="..." with what the image says, or alt="" when it is only decoration.',
    withoutAlt,
  );
  yield* findings(
    'image-size',
    'info',
    'An image has no size, so that the text jumps when it loads and Outlook may show it too large.',
    'Write width and height as attributes.',
    withoutSize,
  );
  yield* findings(
    'http-link',
    'warning',
    'An address is http:, neither encrypted nor trusted by filters.',
    'Write https:.',
    [...insecure],
  );
}

function hasSize({ attributes }: HtmlTag): boolean {
  const style = attributes.get('style') ?? '';
  return (
    (attributes.has('width') || /\bwidth\s*:/i.test(style)) && (attributes.has('height') || /\bheight\s*:/i.test(style))
  );
}

function* lintContentIds(html: string, contentIds: ReadonlySet<string>): Generator<LintFinding> {
  const used = namedContentIds(html);
  const missing = [...used].filter((id) => !contentIds.has(id));
  const unused = [...contentIds].filter((id) => !used.has(id));
  yield* findings(
    'cid-without-part',
    'error',
    'The HTML names an inline image that is not in the message; readers show a broken one.',
    'Attach it with that contentId, spelled exactly as in the HTML.',
    missing.map((id) => `cid:${id}`),
  );
  yield* findings(
    'part-without-cid',
    'warning',
    'An attachment has a Content-ID that the HTML does not use; some readers show it nowhere, others at the end.',
    'Use it as <img src="cid:...">, or leave contentId out.',
    unused.map((id) => `cid:${id}`),
  );
}

/** The Content-IDs in the cid: URLs of an HTML document. */
export function namedContentIds(html: string): ReadonlySet<string> {
  const written = new Set<string>();
  for (const [, id = ''] of html.matchAll(CID)) written.add(id);
  return new Set([...written].map(decodeContentId));
}

/** Decodes the Content-ID of a cid: URL (RFC 2392). */
export function decodeContentId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
