// RFC 5322, sections 3.6.4 and 3.2.3: a dot-atom or domain literal on the right, no spaces or angle brackets.
const MESSAGE_ID = /^[!#$%&'*+\-/=?^_`{|}~.A-Za-z0-9]+@(?:[!#$%&'*+\-/=?^_`{|}~.A-Za-z0-9]+|\[[!-Z^-~]+\])$/;
const MAX_LENGTH = 900; // an id cannot be folded, and no line may be over 998
const IN_BRACKETS = /<\s*([!-;=?-~]+)\s*>/g;
const PRINTABLE = /^[!-;=?-~]+$/;

/** Whether a text, without angle brackets, is a Message-ID that can be written. */
export function isMessageId(text: string): boolean {
  return text.length <= MAX_LENGTH && MESSAGE_ID.test(text);
}

/**
 * The ids in a text that others wrote, such as the value of a References header, without their brackets. An id need not follow
 * the grammar of RFC 5322, section 3.6.4; one that cannot be written is left out.
 */
export function readMessageIds(text: string): readonly string[] {
  const ids = text.includes('<') ? [...text.matchAll(IN_BRACKETS)].map(([, id = '']) => id) : text.split(/\s+/);
  return ids.filter((id) => id.length <= MAX_LENGTH && PRINTABLE.test(id));
}
