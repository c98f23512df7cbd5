import { Attachment } from '../attachment.ts';
import type { EmailMessage } from '../message.ts';
import { readDataImage } from './data-image.ts';
import { imageReferences } from './image-references.ts';

/**
 * A message with `inlineImages` as it goes out: the images of its HTML are attachments with a `contentId`, which the HTML
 * names. Itself when it has not asked for that, or when its HTML is a template of the provider's.
 *
 * Nothing is read but the message: HTML may be anybody's.
 */
export function withInlineImages(message: EmailMessage): EmailMessage {
  const { inlineImages, htmlBody, templateId } = message;
  if (!inlineImages || htmlBody === null || templateId !== null) return message;
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

/** The attachments of a message, those that the HTML shows made inline, and the images of data: URIs added, each once. */
class InlineParts {
  readonly #attachments: Attachment[];
  /** Images by their file names: where the first of a name stands. */
  readonly #named = new Map<string, number>();
  readonly #contentIds = new Set<string>();
  /** What became of each address. */
  readonly #references = new Map<string, string | null>();
  #added = 0;

  constructor(attachments: readonly Attachment[]) {
    this.#attachments = [...attachments];
    for (const [index, { filename, mimetype, contentId }] of attachments.entries()) {
      // Not any file: HTML must not be able to hide an invoice.
      if (filename && /^image\//i.test(mimetype) && !this.#named.has(filename)) this.#named.set(filename, index);
      if (contentId !== null) this.#contentIds.add(contentId);
    }
  }

  get attachments(): readonly Attachment[] {
    return this.#attachments;
  }

  /** The cid: URL (RFC 2392) that takes the place of an address; null for one that stays. */
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
    this.#added += 1;
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

/** The file names that a relative address may mean: as written and unescaped, with and without what looks like a query. */
function namesIn(url: string): readonly string[] {
  if (/^(?:[a-z][a-z0-9+.-]*:|[/\\]{2})/i.test(url) || url.length > MAX_PATH) return []; // it is somewhere else
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

/** The same for the same image, whatever mail it is in, so that equal messages are composed to equal bytes. */
function contentIdOf(kind: string, content: string | Uint8Array): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return `${createHash('sha256').update(`${kind}\n`).update(content).digest('hex').slice(0, 32)}@inline`;
}

/** The Content-ID of the caller's own may hold what ends an address in HTML or a style. */
function cidUrl(contentId: string): string {
  return `cid:${encodeURIComponent(contentId).replaceAll('%40', '@').replaceAll("'", '%27')}`;
}

/** As `svg` of `image/svg+xml`. */
function extensionOf(mimetype: string): string {
  return /[a-z0-9]+(?=\+|$)/.exec(mimetype)?.[0] ?? 'img';
}
