import { type AddressInput, comparisonKey, formatAddress, parseMailbox } from '../../model/address.ts';
import type { AttachmentInit } from '../../model/attachment.ts';
import { MessageError, type MessageIssue } from '../../model/errors.ts';
import type { Alternative, DsnRequest, EmailMessageDraft } from '../../model/message-init.ts';
import { guessMediaType } from '../../util/media-types.ts';
import { headersOf, unfold } from './headers.ts';
import type { CompiledMail, ContentPart, DsnParameters, MailData, ParsedAddress } from './mail.ts';

/**
 * Converts a mail of Nodemailer, its contents read, to a message of ours.
 *
 * @throws {MessageError} `unsupported-feature` with the path of every field that a message cannot express.
 */
export function messageOf(data: MailData, message: CompiledMail): EmailMessageDraft {
  const issues: MessageIssue[] = [];
  const unsupported = (path: string, text: string) => issues.push({ path, code: 'unsupported', message: text });
  const { from, sender, priority } = data;
  const to = data.to ?? [];
  const cc = data.cc ?? [];
  const { from: senders = [] } = message.getAddresses() as { readonly from?: readonly ParsedAddress[] };
  if (senders.length > 1) unsupported('from', 'a mail has one sender');
  if (sender && comparisonKey(sender.address) !== comparisonKey(from?.address ?? '')) {
    unsupported('sender', 'there is no Sender header: give it as envelope.from, where bounces go, or remove it');
  }
  const envelope = message.getEnvelope();
  const shown = new Set(
    [...to, ...cc]
      .flatMap((entry) => entry.group ?? entry)
      .flatMap(({ address }) => (address ? comparisonKey(address) : [])),
  );
  const listed = new Set(envelope.to.map(comparisonKey));
  if (![...shown].every((key) => listed.has(key)))
    unsupported(
      'envelope.to',
      'every address of to and cc gets the mail: name them all, or take them out of to and cc',
    );
  const html = data.html ? textOf('html', data.html) : null;
  const attachments = (data.attachments ?? []).map((part, index) => {
    const isInline = Boolean(part.cid) && html !== null;
    const { contentDisposition = isInline ? 'inline' : 'attachment' } = part;
    if ((contentDisposition === 'inline') !== isInline) {
      const advice = 'a part is inline when it has a cid and the mail has html, and an attachment otherwise';
      unsupported(`attachments[${index}].contentDisposition`, advice);
    }
    return attachmentOf(part, `attachments[${index}]`);
  });
  const headers = headersOf(data, message, unsupported);
  const isOtherSender =
    data.envelope !== undefined && comparisonKey(envelope.from || '') !== comparisonKey(from?.address ?? '');
  const dsn = data.dsn ?? data.envelope?.dsn;
  if (issues.length > 0) throw new MessageError(issues, { code: 'unsupported-feature' });
  const urgency = String(priority).toLowerCase();
  const calendar = data.icalEvent ? (data.icalEvent as ContentPart) : null; // normalized: an object with its content
  return {
    subject: lineOf(message.getHeader('subject')),
    ...(from && { fromEmail: addressOf(from) }),
    to: to.map(addressOf),
    cc: cc.map(addressOf),
    bcc: envelope.to.filter((address) => !shown.has(comparisonKey(address))),
    replyTo: (data.replyTo ?? []).map(addressOf),
    body: textOf('text', data.text),
    htmlBody: html,
    // Nodemailer has replaced the images of <img src="...">, but not backgrounds, styles and srcset.
    inlineImages: Boolean(data.attachDataUrls),
    alternatives: alternativesOf(data, calendar),
    attachments: calendar?.filename ? [...attachments, calendarFile(calendar, calendar.filename)] : attachments,
    headers,
    ...(isOtherSender && { envelopeSender: envelope.from || '' }),
    messageId: message.messageId(),
    inReplyTo: lineOf(message.getHeader('in-reply-to')) || null,
    references: idsOf(message.getHeader('references')),
    date: dateOf(message.getHeader('date')),
    // Nodemailer ignores any other value.
    priority: urgency === 'high' || urgency === 'low' ? urgency : null,
    dsn: dsn ? dsnOf(dsn) : null,
    requireTls: Boolean(data.requireTLSExtensionEnabled || data.envelope?.requireTLSExtensionEnabled),
  };
}

function addressOf({ name, address = '', group }: ParsedAddress): AddressInput {
  if (group === undefined) return { name, address };
  return formatAddress({ name, members: group.map((member) => parseMailbox(addressOf(member))) });
}

function alternativesOf(data: MailData, calendar: ContentPart | null): readonly Alternative[] {
  const forms: Alternative[] = [];
  if (data.watchHtml) forms.push({ content: textOf('watchHtml', data.watchHtml), mimetype: 'text/watch-html' });
  if (data.amp) forms.push({ content: textOf('amp', data.amp), mimetype: 'text/x-amp-html' });
  if (calendar) forms.push({ content: textOf('icalEvent', calendar), mimetype: calendarType(calendar) });
  const others = (data.alternatives ?? []).map((part, index) => ({
    content: textOf(`alternatives[${index}]`, part),
    mimetype: part.contentType ?? guessMediaType(String(part.path ?? part.href ?? '.txt')),
  }));
  return [...forms, ...others];
}

/** The composer adds the calendar's own method when none is given here. */
function calendarType({ method }: ContentPart): string {
  return method ? `text/calendar; method=${method.trim().toUpperCase()}` : 'text/calendar';
}

/** The attached copy of an invitation under its file name; without a name, the composer attaches one. */
function calendarFile(calendar: ContentPart, filename: string): AttachmentInit {
  return { filename, content: contentOf('icalEvent', calendar), mimetype: calendarType(calendar) };
}

function attachmentOf(part: ContentPart, path: string): AttachmentInit {
  const { filename, contentType, cid, isNameless } = part;
  return {
    filename: isNameless ? null : filename || null,
    content: contentOf(path, part),
    ...(contentType && { mimetype: contentType }),
    contentId: cid ? cid.replace(/[<>]/g, '') : null,
  };
}

/** Reads normalized content, which is text, or bytes in base64; a part without content is empty. */
function contentOf(path: string, part: unknown): string | Uint8Array {
  if (part === undefined || part === null || typeof part === 'string') return part ?? '';
  if (part instanceof Uint8Array) return part;
  const { content, encoding } = part as ContentPart;
  if (typeof content === 'string') return encoding === 'base64' ? Buffer.from(content, 'base64') : content;
  if (content === undefined || content === null || content instanceof Uint8Array) return content ?? '';
  const { content: inner } = content as ContentPart;
  if (inner === undefined || inner === null || inner === '') return '';
  throw new MessageError([{ path, code: 'type', message: 'its content must be a string, a Buffer or a stream' }]);
}

function textOf(path: string, part: unknown): string {
  const content = contentOf(path, part);
  if (typeof content === 'string') return content;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch (cause) {
    throw new MessageError([{ path, code: 'type', message: 'it must be text in UTF-8' }], { cause });
  }
}

function lineOf(value: unknown): string {
  return value ? unfold(String(value)) : '';
}

function idsOf(value: unknown): readonly string[] {
  const ids = [value ?? []].flat().map(String);
  return ids.flatMap((text) => text.split(/[\s,]+/)).filter((id) => id !== '');
}

function dateOf(value: unknown): Date | null {
  return value ? new Date(value instanceof Date ? value : String(value)) : null;
}

function dsnOf({ ret, return: returned, envid, id, notify, recipient, orcpt }: DsnParameters): DsnRequest {
  const what = String(ret || returned || '').toUpperCase();
  const original = String(recipient || orcpt || '');
  const events = [notify || []]
    .flat()
    .flatMap((text) => text.split(','))
    .map((event) => event.trim().toLowerCase());
  // The message's own validation reports unknown values.
  return {
    ...(events.length > 0 && { notify: (events.join() === 'never' ? 'never' : events) as DsnRequest['notify'] & {} }),
    ...(what && {
      ret:
        what === 'HDRS' || what === 'HEADERS' ? 'headers' : what === 'BODY' ? 'full' : (what.toLowerCase() as 'full'),
    }),
    ...((envid || id) && { envid: String(envid || id) }),
    ...(original && { orcpt: original.includes(';') ? original : `rfc822;${original}` }),
  };
}
