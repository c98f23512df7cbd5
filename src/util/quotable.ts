/** How a file or package may begin, although names otherwise have no '@' or ':'. */
const PREFIX = /^(?:file:\/\/\/(?:[A-Za-z]:(?=\/))?|[A-Za-z]:(?=\\)|@(?=[a-z0-9~][a-z0-9._~-]*\/))/;

/**
 * Whether an error may quote a text given as a name, a path or a `package#Export`: it has no '@', ':' or '%' where these have
 * none. Otherwise it may be a malformed URL with a password in it.
 */
export function isQuotable(text: string): boolean {
  const rest = text.replace(PREFIX, '');
  return rest.length <= 300 && !/[@:%]|\p{Cc}/u.test(rest) && !rest.startsWith('//');
}

/** A text in quotation marks, or the reason why it is not shown. */
export function quoted(text: string): string {
  return isQuotable(text) ? `'${text}'` : '(not shown, as a password may be in it)';
}
