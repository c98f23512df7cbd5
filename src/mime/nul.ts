import { MessageError } from '../errors.ts';

/** The one character that no text of a mail can hold, in any encoding that readers decode (RFC 5322, section 4). */
const NUL = '\0';

export function hasNul(text: string): boolean {
  return text.includes(NUL);
}

/** The text with a space for every NUL. */
export function withoutNul(text: string): string {
  return text.replaceAll(NUL, ' ');
}

export function nulError(path: string): MessageError {
  const message = 'remove the NUL characters (U+0000): no mail can carry them';
  return new MessageError([{ path, code: 'control-character', message }]);
}
