/** Reads bytes in a charset by any of its names (WHATWG Encoding); an unknown one counts as UTF-8, or Latin-1 when it is none. */
export function decodeCharset(bytes: Uint8Array, charset: string): string {
  const label = charset.trim().toLowerCase();
  try {
    if (label !== '' && label !== 'us-ascii' && label !== 'ascii') return new TextDecoder(label).decode(bytes);
  } catch {
    // a RangeError: the label is not known
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
