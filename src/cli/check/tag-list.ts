/** The tags of a DKIM or DMARC record by name, white space around them removed; null when it is no tag list (RFC 6376, section 3.2). */
export function readTags(record: string): ReadonlyMap<string, string> | null {
  const tags = new Map<string, string>();
  const parts = record.split(';');
  if (parts.at(-1)?.trim() === '') parts.pop();
  for (const part of parts) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(0, equals)).trim();
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || tags.has(name)) return null;
    tags.set(name, part.slice(equals + 1).trim());
  }
  return tags;
}
