import type { Ask, Built, Failure, Prepared } from '../../http/provider.ts';
import { rawMailWithBcc } from '../../http/raw-mail.ts';
import { SendError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import { isLoopback } from '../../net/loopback.ts';
import { attachmentOf, type File, fileOf } from './json.ts';

/** Files from this size on go in parts, which need an upload session (https://learn.microsoft.com/graph/outlook-large-attachments). */
const LARGE_FILE = 3_000_000;
/** Octets of a part: under 4 MB. */
const PART = 3_932_160;

/**
 * Puts a mail that is too large for one request into the drafts of its mailbox, and the files that it has no room for after it;
 * nothing is sent before the draft is. A draft that is not sent is deleted.
 *
 * @param maxRequest characters of a mail in base64
 */
export function draftOf(message: EmailMessage, user: string, maxRequest: number): NonNullable<Built['prepare']> {
  return async (ask) => {
    const { mime, files } = partsOf(message, maxRequest);
    const created = await ask({ method: 'POST', path: `${user}/messages`, body: { type: 'text/plain', body: mime } });
    if ('error' in created) return created;
    const { id } = (created.body ?? {}) as { readonly id?: unknown };
    if (typeof id !== 'string') return unfinished('answers with a draft that has no id: check baseUrl');
    const draft = `${user}/messages/${encodeURIComponent(id)}`;
    const prepared: Prepared = {
      path: `${draft}/send`,
      discard: () => ask({ method: 'DELETE', path: draft, body: null }),
    };
    for (const file of files) {
      const failure = await attach(ask, draft, file);
      if (failure === null) continue;
      await prepared.discard();
      return failure;
    }
    return prepared;
  };
}

/** The mail without the files that go after it: all but the images in its text, and those too where it must be. */
function partsOf(
  message: EmailMessage,
  maxRequest: number,
): { readonly mime: string; readonly files: readonly File[] } {
  const images = message.attachments.filter(({ contentId }) => contentId !== null);
  const withImages = rawMailWithBcc(message.with({ attachments: images })).toString('base64');
  if (withImages.length <= maxRequest) return { mime: withImages, files: filesOf(message, (id) => id === undefined) };
  const alone = rawMailWithBcc(message.with({ attachments: [] })).toString('base64');
  return { mime: alone, files: filesOf(message, () => true) };
}

function filesOf(message: EmailMessage, goes: (contentId: string | undefined) => boolean): readonly File[] {
  return message.attachments.map(fileOf).filter(({ contentId }) => goes(contentId));
}

async function attach(ask: Ask, draft: string, file: File): Promise<Failure | null> {
  const { bytes, ...facts } = file;
  const path = `${draft}/attachments`;
  if (bytes.length < LARGE_FILE) {
    const answer = await ask({ method: 'POST', path, body: asJson(attachmentOf(file)) });
    return 'error' in answer ? answer : null;
  }
  const item = { AttachmentItem: { attachmentType: 'file', ...facts, size: bytes.length } };
  const session = await ask({ method: 'POST', path: `${path}/createUploadSession`, body: asJson(item) });
  if ('error' in session) return session;
  const { uploadUrl } = (session.body ?? {}) as { readonly uploadUrl?: unknown };
  if (typeof uploadUrl !== 'string' || !isUploadUrl(uploadUrl))
    return unfinished('answers with an upload session that has no address: check baseUrl');
  let isWhole = false;
  for (let at = 0; at < bytes.length; at += PART) {
    const part = bytes.subarray(at, at + PART);
    const range = `bytes ${at}-${at + part.length - 1}/${bytes.length}`;
    const answer = await ask({
      method: 'PUT',
      path: uploadUrl,
      body: { type: 'application/octet-stream', body: [part] },
      headers: { 'content-range': range },
    });
    if ('error' in answer) return answer;
    isWhole = answer.status === 201;
  }
  return isWhole ? null : unfinished(`did not take all of ${facts.name}`);
}

/** What it holds lets anybody write there: it goes over TLS, but on this machine. */
function isUploadUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
}

function asJson(body: object): { readonly type: string; readonly body: string } {
  return { type: 'application/json', body: JSON.stringify(body) };
}

function unfinished(what: string): Failure {
  return { error: new SendError('provider', `the mail was not sent: microsoft-graph ${what}`, { phase: 'request' }) };
}
