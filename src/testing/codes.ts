import { textOfHtml } from '../mime/read/html-text.ts';
import { linksOf } from '../mime/read/links.ts';
import type { InboxMessage } from './inbox/inbox-message.ts';

/** The distinct URLs that a message links to: those of the HTML first, then those only in the text. */
export function links({ body, htmlBody }: InboxMessage): string[] {
  return linksOf(body, htmlBody);
}

const GROUPS = String.raw`\d(?: \d){3,7}|\d{3}[ -]\d{3}(?:[ -]\d{3})?|\d{4}[ -]\d{4}|\d{4,8}`;
const LETTERS = String.raw`[A-Z\d]{3,5}-[A-Z\d]{3,5}|(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z\d]{6,10}`;
// Not part of a word, number, amount, date, time or address.
const CODE = new RegExp(
  String.raw`(?<![\w.,:/@#$€£+&=-]|[$€£+#] )(?:${GROUPS}|${LETTERS})(?![\w@%€]|[.,:/-]\w| ?[€%])`,
  'g',
);
const NAMED = /code|pin\b|otp|passwor|passcode|verif|confirm|token|sign|log.?in/i;
const YEAR = /^(?:19|20)\d\d$/;
const REACH = 60;

/**
 * The distinct one-time codes of a message, as a user types them: `123456` (also from `123 456`), `ABCD-1234`.
 *
 * Codes shortly after a word such as "code" or "PIN" come first; a year on its own and a telephone number with a + are not
 * codes. Reads the subject and the text, or the HTML when there is no text.
 */
export function codes({ subject, body, htmlBody }: InboxMessage): string[] {
  const text = `${subject}\n${body || textOfHtml(htmlBody ?? '')}`.replaceAll(
    /https?:\/\/\S+|\+\d[\d ()/-]*|\s+/g,
    ' ',
  );
  const found = [...text.matchAll(CODE)].map(({ 0: written, index }) => ({
    code: /^[\d -]+$/.test(written) ? written.replaceAll(/[ -]/g, '') : written,
    isNamed: NAMED.test(text.slice(Math.max(0, index - REACH), index)),
  }));
  const sure = found.filter(({ code, isNamed }) => isNamed || !YEAR.test(code));
  return [...new Set(sure.toSorted((a, b) => Number(b.isNamed) - Number(a.isNamed)).map(({ code }) => code))];
}
