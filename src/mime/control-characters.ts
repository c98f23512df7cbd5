import { MessageError } from '../errors.ts';

/** What no text of a mail may hold: the control characters of ASCII, but for tab and line breaks (RFC 5322, section 3.5). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
export const CONTROL_CHARACTER: RegExp = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** The text with control characters as spaces. */
export function withoutControls(text: string): string {
  return text.replace(new RegExp(CONTROL_CHARACTER, 'g'), ' ');
}

export function controlError(path: string): MessageError {
  const message = 'remove control characters other than tab and line breaks';
  return new MessageError([{ path, code: 'control-character', message }]);
}
