import { decodeContentId } from '../mime/lint-html.ts';
import type { MailContent } from '../mime/mail-content.ts';
import { readContent } from '../mime/read-content.ts';

/** How the frame shows the HTML of a mail. */
export interface HtmlOptions {
  /** As a reader in light or dark mode shows it; null: as the browser is. */
  readonly scheme: 'light' | 'dark' | null;
}

const MAX_HTML = 5_000_000;
/** Bytes of images put in place of cid: addresses, base64 counted; a mail may name one large image ten thousand times. */
const MAX_INLINED = 64_000_000;
const CID = /((?:["'(=]|^)\s*)cid:([^"'()\s<>]+)/gi;
/** No frame is ever shown, but Chromium opens a connection for one before it asks the policy. */
const FRAME = /<(iframe|frame)\b/gi;
/** Links open beside the mailbox, never in it: of several <base> elements the first one counts. */
const HEAD = '<base target="_blank">';
/** What Gmail and Outlook do to a mail that has no dark styles of its own, more or less. */
const INVERT =
  '<style>html{background:#fff;filter:invert(.9) hue-rotate(180deg)}img,video,picture,[background]{filter:invert(1) hue-rotate(180deg)}</style>';

/**
 * The HTML of a mail as the frame shows it: inline images in place of their cid: addresses, links in a new window, no
 * frames, else unchanged. Null when the mail has no HTML.
 *
 * It is shown under {@link frameHeaders} only: they are what makes it harmless.
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

/** Makes the queries for one kind of reader true, and those for the other false. */
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
  let room = MAX_INLINED;
  return html.replace(CID, (whole: string, before: string, reference: string) => {
    const part = images.get(decodeContentId(reference));
    if (part === undefined) return whole;
    let url = urls.get(part.path);
    if (url === undefined) {
      const type = /^[\w.+-]+\/[\w.+-]+$/.test(part.mediaType) ? part.mediaType : 'application/octet-stream';
      url = `data:${type};base64,${Buffer.from(readContent(content.bytes, part)).toString('base64')}`;
      urls.set(part.path, url);
    }
    room -= url.length;
    return room < 0 ? whole : before + url;
  });
}

/**
 * The headers that take the power from a mail's HTML: no script, no request, no form, no origin, whatever is in it.
 *
 * @param remoteImages whether images from elsewhere are shown, which tells their servers that the mail was opened
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
