import type { EmailMessage } from '../../model/message.ts';
import { guessMediaType } from '../../util/media-types.ts';
import { composeMessage } from '../compose/compose.ts';
import { MAX_LINE } from '../compose/fit.ts';
import { headerText, headerValue } from '../read/headers.ts';
import { MailContent } from '../read/mail-content.ts';
import type { MimePart } from '../read/mime-tree.ts';
import { finding, findings, type LintFinding } from './finding.ts';
import { lintHtml } from './lint-html.ts';

export type { LintFinding, LintId, LintSeverity } from './finding.ts';

/** Bytes searched for long lines: a longer message has attachments, whose lines a program broke. */
const MAX_SEARCHED = 8_000_000;
const MAX_HTML = 2_000_000;

/**
 * Checks a message as its readers get it, and reports what to fix; fetches nothing.
 *
 * @param source The message, or its bytes as a server received them.
 * @throws {MessageError} `invalid-message` when the message cannot be composed.
 */
export function lint(source: EmailMessage | Uint8Array): readonly LintFinding[] {
  const content = new MailContent(source instanceof Uint8Array ? source : composeForLint(source));
  return [...lintHeaders(content), ...lintBody(content), ...lintAttachments(content), ...lintLines(content.bytes)];
}

/** Streamed attachments are composed empty: only their names and types are checked. */
function composeForLint(message: EmailMessage): Uint8Array {
  if (message.attachments.every((attachment) => attachment.isInMemory))
    return composeMessage(message, { allow8bit: true });
  const attachments = message.attachments.map((attachment) =>
    attachment.isInMemory ? attachment : { ...attachment, content: '' },
  );
  return composeMessage(message.with({ attachments }), { allow8bit: true });
}

function* lintHeaders(content: MailContent): Generator<LintFinding> {
  const { headers } = content.tree.root;
  if (!headerText(headers, 'subject')?.trim())
    yield finding('no-subject', 'warning', 'There is no subject.', 'Give the message a subject.');

  const unsubscribe = headerValue(headers, 'list-unsubscribe');
  const post = headerValue(headers, 'list-unsubscribe-post');
  if (unsubscribe === null) {
    yield finding(
      'unsubscribe-missing',
      'info',
      'There is no List-Unsubscribe header.',
      'Give listUnsubscribe: {url, oneClick: true} if this is bulk mail: Gmail and Yahoo ask for it (RFC 8058). Leave it out of receipts and sign-in mails.',
    );
    return;
  }
  const uris = [...unsubscribe.matchAll(/<\s*([^<>\s]+)\s*>/g)].map(([, uri = '']) => uri);
  const faults = [
    ...(uris.length === 0 ? ['it names no address in angle brackets'] : []),
    ...uris.filter((uri) => !/^(https?|mailto):/i.test(uri)).map((uri) => `${uri} is neither https: nor mailto:`),
    ...(post !== null && post.trim() !== 'List-Unsubscribe=One-Click'
      ? ['List-Unsubscribe-Post must be exactly List-Unsubscribe=One-Click']
      : []),
    ...(post !== null && !uris.some((uri) => /^https:/i.test(uri)) ? ['one click needs an https: address'] : []),
  ];
  yield* findings(
    'unsubscribe-malformed',
    'error',
    'The List-Unsubscribe headers are malformed, so that no reader shows the button.',
    'Write <https://...> or <mailto:...>, and List-Unsubscribe-Post: List-Unsubscribe=One-Click (RFC 2369, RFC 8058); the option listUnsubscribe does it for you.',
    faults,
  );
}

function* lintBody(content: MailContent): Generator<LintFinding> {
  const html = content.html(MAX_HTML);
  if (html === null) return;
  if (!content.text(1000)?.trim()) {
    yield finding(
      'no-text',
      'warning',
      'There is no plain text part.',
      'Give body next to htmlBody, or autoText: true: some people and most spam filters read it.',
    );
  }
  yield* lintHtml(html, contentIds(content));
}

function contentIds(content: MailContent): ReadonlySet<string> {
  return new Set(content.attachments.flatMap(({ contentId }) => (contentId === null ? [] : [contentId])));
}

function* lintAttachments({ attachments }: MailContent): Generator<LintFinding> {
  const wrong = attachments.filter(({ filename, mediaType }) => filename !== null && !fits(filename, mediaType));
  yield* findings(
    'filename-type',
    'warning',
    'A file name says another type than the message does.',
    'Leave mimetype out, so that it follows from the file name, or mend the extension: readers choose the program by one of the two.',
    wrong.map(({ filename, mediaType }: MimePart) => `${filename} is sent as ${mediaType}`),
  );
}

/** Types with several names. */
const SAME: readonly (readonly string[])[] = [
  ['text/javascript', 'application/javascript'],
  ['application/zip', 'application/x-zip-compressed'],
  ['application/xml', 'text/xml'],
  ['application/gzip', 'application/x-gzip'],
  ['audio/wav', 'audio/x-wav'],
  ['image/vnd.microsoft.icon', 'image/x-icon'],
  ['text/calendar', 'application/ics'],
  ['text/markdown', 'text/x-markdown'],
  ['application/yaml', 'text/yaml'],
];

function fits(filename: string, mediaType: string): boolean {
  const expected = guessMediaType(filename);
  if (expected === 'application/octet-stream' || mediaType === 'application/octet-stream') return true;
  if (expected === mediaType || SAME.some((names) => names.includes(expected) && names.includes(mediaType)))
    return true;
  return mediaType === 'text/plain' && expected.startsWith('text/');
}

function* lintLines(bytes: Uint8Array): Generator<LintFinding> {
  const places: string[] = [];
  let number = 1;
  let start = 0;
  while (start < Math.min(bytes.length, MAX_SEARCHED)) {
    const lineFeed = bytes.indexOf(0x0a, start);
    const end = lineFeed === -1 ? bytes.length : lineFeed;
    const length = end - start - (bytes[end - 1] === 0x0d ? 1 : 0);
    if (length > MAX_LINE) places.push(`line ${number}: ${length} characters`);
    start = end + 1;
    number++;
  }
  yield* findings(
    'long-line',
    'error',
    `A line is longer than ${MAX_LINE} characters; servers may refuse or cut it (RFC 5322, section 2.1.1).`,
    'Send text as quoted-printable or base64, which this library does by itself.',
    places,
  );
}
