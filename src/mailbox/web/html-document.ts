import { decodeContentId } from '../../mime/lint/lint-html.ts';
import { readContent } from '../../mime/read/content.ts';
import type { MailContent } from '../../mime/read/mail-content.ts';

/** How the frame shows the HTML of a mail. */
export interface HtmlOptions {
  /** The mode of the mail client that is simulated; null: the browser's own. */
  readonly scheme: 'light' | 'dark' | null;
}

const MAX_HTML = 5_000_000;
/** Characters of data: URLs in place of cid: ones; a mail may refer to one large image ten thousand times. */
const MAX_INLINED = 64_000_000;
const CID = /((?:["'(=]|^)\s*)cid:([^"'()\s<>]+)/gi;
/** The policy blocks frames, but Chromium connects to their servers before it checks the policy. */
const FRAME = /<(iframe|frame)\b/gi;
/** Links open in a new tab: of several <base> elements the first one counts. */
const HEAD = '<base target="_blank">';
/** Roughly what Gmail and Outlook do to a mail without dark styles. */
const INVERT =
  '<style>html{background:#fff;filter:invert(.9) hue-rotate(180deg)}img,video,picture,[background]{filter:invert(1) hue-rotate(180deg)}</style>';

/**
 * The HTML of a mail for the frame: with inline images as data: URLs, links that open in a new tab, and no frames; otherwise
 * unchanged. Null when the mail has no HTML.
 *
 * It is only safe with the headers of {@link frameHeaders}.
 */
export function htmlDocument(content: MailContent, { scheme }: HtmlOptions): string | null {
  const html = content.html(MAX_HTML);
  if (html === null) return null;
  const shown = inlineImages(html, content).replace(FRAME, '<x-$1');
  const doctype = /^\s*<!doctype[^>]*>/i.exec(shown)?.[0] ?? '';
  const rest = shown.slice(doctype.length);
  if (scheme === null) return doctype + HEAD + rest;
  if (DARK_QUERY.test(rest)) return doctype + HEAD + forceScheme(rest, scheme);
  return doctype + HEAD + (scheme === 'dark' ? INVERT : '') + rest;
}

const DARK_QUERY = /\(\s*prefers-color-scheme\s*:\s*dark\s*\)/i;

/** Makes the media queries for one scheme true, and those for the other false. */
function forceScheme(html: string, scheme: 'light' | 'dark'): string {
  const resolved = html.replace(/\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)/gi, (_, name: string) =>
    name.toLowerCase() === scheme ? '(min-width:0)' : '(max-width:0)',
  );
  return `<style>:root{color-scheme:${scheme}}</style>${resolved}`;
}

function inlineImages(html: string, content: MailContent): string {
  const images = new Map(
    content.attachments.flatMap((part) => (part.contentId === null ? [] : [[part.contentId, part] as const])),
  );
  const urls = new Map<string, string>();
  let remaining = MAX_INLINED;
  return html.replace(CID, (whole: string, before: string, reference: string) => {
    const part = images.get(decodeContentId(reference));
    if (part === undefined) return whole;
    let url = urls.get(part.path);
    if (url === undefined) {
      const type = /^[\w.+-]+\/[\w.+-]+$/.test(part.mediaType) ? part.mediaType : 'application/octet-stream';
      url = `data:${type};base64,${Buffer.from(readContent(content.bytes, part)).toString('base64')}`;
      urls.set(part.path, url);
    }
    remaining -= url.length;
    return remaining < 0 ? whole : before + url;
  });
}

/**
 * The headers that make a mail's HTML harmless: no script, no request, no form, no origin.
 *
 * @param remoteImages whether remote images are loaded, which reveals to their servers that the mail was opened
 */
export function frameHeaders(remoteImages: boolean): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [
      'sandbox allow-popups allow-popups-to-escape-sandbox',
      "default-src 'none'",
      `img-src data:${remoteImages ? ' http: https:' : ''}`,
      "style-src 'unsafe-inline'",
      'font-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'self'",
    ].join('; '),
    'x-dns-prefetch-control': 'off',
  };
}
