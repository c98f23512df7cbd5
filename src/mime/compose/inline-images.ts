import { Attachment } from '../../model/attachment.ts';
import { type EmailMessage, hasImagesToInline } from '../../model/message.ts';
import { readDataImage } from './data-image.ts';
import { imageReferences } from './image-references.ts';

/**
 * Carries out `inlineImages`: turns the images of the HTML into attachments with a `contentId`, and refers to them by it.
 * Returns the message itself when the option is off or its HTML is a provider's template.
 *
 * Reads nothing but the message, since anybody may have written the HTML.
 */
export function withInlineImages(message: EmailMessage): EmailMessage {
  const { htmlBody } = message;
  if (htmlBody === null || !hasImagesToInline(message)) return message;
  const parts = new InlineParts(message.attachments);
  let html = '';
  let done = 0;
  for (const { from, to, url } of imageReferences(htmlBody)) {
    const reference = parts.referenceTo(url);
    if (reference === null) continue;
    html += htmlBody.slice(done, from) + reference;
    done = to;
  }
  html += htmlBody.slice(done);
  return message.with({ htmlBody: html, attachments: parts.attachments, inlineImages: false });
}

/** A message's attachments: those shown by the HTML get a Content-ID, and each distinct data: image is added once. */
class InlineParts {
  readonly #attachments: Attachment[];
  /** The index of the first image with each file name. */
  readonly #named = new Map<string, number>();
  readonly #contentIds = new Set<string>();
  /** The replacement for each URL; null: left as it is. */
  readonly #references = new Map<string, string | null>();
  #added = 0;

  constructor(attachments: readonly Attachment[]) {
    this.#attachments = [...attachments];
    for (const [index, { filename, mimetype, contentId }] of attachments.entries()) {
      // Only images: HTML must not be able to hide an invoice.
      if (filename && /^image\//i.test(mimetype) && !this.#named.has(filename)) this.#named.set(filename, index);
      if (contentId !== null) this.#contentIds.add(contentId);
    }
  }

  get attachments(): readonly Attachment[] {
    return this.#attachments;
  }

  /** The cid: URL (RFC 2392) to replace a URL with; null to leave it as it is. */
  referenceTo(url: string): string | null {
    let reference = this.#references.get(url);
    if (reference === undefined) {
      const contentId = /^data:/i.test(url) ? this.#addData(url) : this.#useNamed(url);
      reference = contentId === null ? null : cidUrl(contentId);
      this.#references.set(url, reference);
    }
    return reference;
  }

  #addData(url: string): string | null {
    const image = readDataImage(url);
    if (image === null) return null;
    const { mimetype, content } = image;
    const contentId = contentIdOf(mimetype, content);
    if (this.#contentIds.has(contentId)) return contentId;
    this.#contentIds.add(contentId);
    this.#added++;
    const filename = `image-${this.#added}.${extensionOf(mimetype)}`;
    this.#attachments.push(new Attachment({ filename, mimetype, content, contentId }));
    return contentId;
  }

  #useNamed(url: string): string | null {
    const index = namesIn(url).flatMap((name) => this.#named.get(name) ?? [])[0];
    const attachment = index === undefined ? undefined : this.#attachments[index];
    if (index === undefined || attachment === undefined) return null;
    if (attachment.contentId !== null) return attachment.contentId;
    const { filename, content } = attachment;
    const isKnown = typeof content === 'string' || content instanceof Uint8Array;
    let contentId = contentIdOf(`name ${filename}`, isKnown ? content : '');
    while (this.#contentIds.has(contentId)) contentId = contentIdOf(contentId, '');
    this.#contentIds.add(contentId);
    this.#attachments[index] = new Attachment({ ...attachment, contentId });
    return contentId;
  }
}

/** The file names a relative URL may refer to: as written and unescaped, with and without a query. */
function namesIn(url: string): readonly string[] {
  if (/^(?:[a-z][a-z0-9+.-]*:|[/\\]{2})/i.test(url) || url.length > MAX_PATH) return []; // not relative
  return [url, url.replace(/[?#].*$/s, '')].flatMap((path) => {
    const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
    return [name, unescaped(name)];
  });
}

const MAX_PATH = 2000;

function unescaped(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Equal for equal images in any mail, so that equal messages are composed to equal bytes. */
function contentIdOf(kind: string, content: string | Uint8Array): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return `${createHash('sha256').update(`${kind}\n`).update(content).digest('hex').slice(0, 32)}@inline`;
}

/** Escaped, since a caller's Content-ID may contain characters that end a URL in HTML or a style. */
function cidUrl(contentId: string): string {
  return `cid:${encodeURIComponent(contentId).replaceAll('%40', '@').replaceAll("'", '%27')}`;
}

/** The file name extension, such as `svg` for `image/svg+xml`. */
function extensionOf(mimetype: string): string {
  return /[a-z0-9]+(?=\+|$)/.exec(mimetype)?.[0] ?? 'img';
}
