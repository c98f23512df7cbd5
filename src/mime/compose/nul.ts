import { MessageError } from '../../model/errors.ts';

/** The text with each NUL replaced by a space. */
export function withoutNul(text: string): string {
  return text.replaceAll('\0', ' ');
}

/** The error for a NUL, the one character that no text of a mail can contain in any encoding (RFC 5322, section 4). */
export function nulError(path: string): MessageError {
  const message = 'remove the NUL characters (U+0000): no mail can carry them';
  return new MessageError([{ path, code: 'control-character', message }]);
}
