import type { EmailMessage } from '../../model/message.ts';
import { textFromHtml } from './auto-text.ts';
import { alternativePart, attachmentPart, invitationPart, type Leaf, textPart } from './part.ts';

/** A multipart and its parameters other than the boundary. */
export interface Multipart {
  readonly subtype: 'mixed' | 'alternative' | 'related';
  readonly parameters: string;
  readonly parts: readonly Part[];
}

export type Part = Leaf | Multipart;

/**
 * Plans the tree of a message's parts: mixed(alternative(text, ..., related(html, inline images), calendar), attachments),
 * without the levels that are not needed (RFC 2046, sections 5.1.3 and 5.1.4; RFC 2387).
 */
export function planParts(message: EmailMessage, allow8bit: boolean): Part {
  const { attachments, alternatives, htmlBody } = message;
  if (attachments.length === 0 && alternatives.length === 0) {
    return htmlBody === null ? textPart('text/plain', message.body) : readableBody(message, []);
  }
  const inline: Leaf[] = [];
  const files: Leaf[] = [];
  for (const [index, attachment] of attachments.entries()) {
    const isInline = attachment.contentId !== null && htmlBody !== null;
    const part = attachmentPart(attachment, `attachments[${index}]`, isInline ? 'inline' : 'attachment', allow8bit);
    (isInline ? inline : files).push(part);
  }
  const invitation = alternatives.find(({ mimetype }) => isCalendar(mimetype));
  if (invitation && !attachments.some(({ mimetype }) => isCalendar(mimetype)))
    files.push(invitationPart(invitation.content));
  const body = readableBody(message, inline);
  return files.length === 0 ? body : { subtype: 'mixed', parameters: '', parts: [body, ...files] };
}

function readableBody(message: EmailMessage, inline: readonly Leaf[]): Part {
  const { body, htmlBody, alternatives } = message;
  const forms: Part[] = [];
  if (body !== '' || (htmlBody === null && alternatives.length === 0)) forms.push(textPart('text/plain', body));
  else if (htmlBody !== null && message.autoText) forms.push(textPart('text/plain', textFromHtml(htmlBody)));
  const last: Part[] = [];
  for (const [index, alternative] of alternatives.entries()) {
    // Readers show the last form they know: AMP falls back to HTML, and a calendar takes precedence over it.
    (isCalendar(alternative.mimetype) ? last : forms).push(alternativePart(alternative, index));
  }
  if (htmlBody !== null) forms.push(withInline(textPart('text/html', htmlBody), inline));
  forms.push(...last);
  const [only] = forms;
  return forms.length === 1 && only ? only : { subtype: 'alternative', parameters: '', parts: forms };
}

function withInline(html: Leaf, inline: readonly Leaf[]): Part {
  if (inline.length === 0) return html;
  return { subtype: 'related', parameters: ' type="text/html";', parts: [html, ...inline] }; // RFC 2387, section 3.1
}

function isCalendar(mimetype: string): boolean {
  return /^(?:text\/calendar|application\/ics)\b/i.test(mimetype);
}
