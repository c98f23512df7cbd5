import type { CompiledMail, MailData } from './mail.ts';

/** Headers with a field of their own, which Nodemailer fills from the header when it is empty. */
const STANDARD = /^(?:from|sender|to|cc|bcc|reply-to|subject|date|message-id|in-reply-to|references)$/i;

/**
 * Reads the custom headers, and those that Nodemailer makes from fields: List-*, OTP-Token and X-Mailer.
 *
 * @param unsupported Called with the path of a header that a message cannot have, and the reason.
 */
export function headersOf(
  data: MailData,
  message: CompiledMail,
  unsupported: (path: string, text: string) => void,
): Readonly<Record<string, string>> {
  const headers = new Map<string, readonly [name: string, value: string]>();
  for (const [name, value] of entriesOf(data.headers)) {
    const text = textOf(value);
    if (STANDARD.test(name) || text === '') continue;
    const key = name.toLowerCase();
    if (headers.has(key)) unsupported(`headers.${name}`, 'a custom header is there once: join its values, or keep one');
    headers.set(key, [name, text]);
  }
  // Fields come last: in Nodemailer they override custom headers.
  for (const name of Object.keys(data.list ?? {})) {
    const key = `list-${name.toLowerCase().trim()}`;
    const value = data.normalizedHeaders?.[key];
    if (value) headers.set(key, [titleOf(key), unfold(value)]);
  }
  if (data.otp) headers.set('otp-token', ['OTP-Token', textOf(message.getHeader('otp-token'))]);
  if (data.xMailer) headers.set('x-mailer', ['X-Mailer', unfold(data.xMailer)]);
  return Object.fromEntries(headers.values());
}

/** Unfolds a header value to one line (RFC 5322, section 2.2.3). */
export function unfold(text: string): string {
  return text.replace(/\r?\n(?=[ \t])/g, '');
}

function titleOf(key: string): string {
  return key.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** Nodemailer accepts a record of values or lists of values, a `{key, value}`, or a list of any of these. */
function entriesOf(headers: unknown): readonly (readonly [string, unknown])[] {
  if (typeof headers !== 'object' || headers === null) return [];
  if (Array.isArray(headers)) return headers.flatMap(entriesOf);
  const { key, value } = headers as { readonly key?: unknown; readonly value?: unknown };
  const entries = key && value ? [[String(key), value] as const] : Object.entries(headers);
  return entries.flatMap(([name, values]) => [values].flat().map((each: unknown) => [name, each] as const));
}

function textOf(value: unknown): string {
  const text = typeof value === 'object' && value !== null ? (value as { readonly value?: unknown }).value : value;
  return unfold(String(text || ''));
}
