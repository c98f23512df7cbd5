/** What a file or package may begin with although a name has no '@' and no ':'. */
const PREFIX = /^(?:file:\/\/\/(?:[A-Za-z]:(?=\/))?|[A-Za-z]:(?=\\)|@(?=[a-z0-9~][a-z0-9._~-]*\/))/;

/**
 * Whether an error may quote a text that was given as a name, a path or a `package#Export`: it has no '@', ':' or '%' where they
 * have none. What has may be a URL gone wrong, with the password in it.
 */
export function isQuotable(text: string): boolean {
  const rest = text.replace(PREFIX, '');
  return rest.length <= 300 && !/[@:%]|\p{Cc}/u.test(rest) && !rest.startsWith('//');
}

/** A text in quotation marks, or in its place why it is not shown. */
export function quoted(text: string): string {
  return isQuotable(text) ? `'${text}'` : '(not shown, as a password may be in it)';
}
