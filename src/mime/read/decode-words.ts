const ENCODED_WORD = /=\?([^?\s*]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?]*)\?=/g;

/** Decodes the encoded-words in a header value (RFC 2047). */
export function decodeWords(value: string): string {
  if (!value.includes('=?')) return value;
  let text = '';
  let position = 0;
  let pending: { charset: string; bytes: Buffer[] } | null = null;
  const flush = (): void => {
    if (pending !== null) text += decodeCharset(Buffer.concat(pending.bytes), pending.charset);
    pending = null;
  };
  for (const match of value.matchAll(ENCODED_WORD)) {
    const [word, charset = '', kind, encoded = ''] = match;
    const between = value.slice(position, match.index);
    const isAdjacent = pending !== null && between.trim() === '';
    // A character may be split between two words, so adjacent words of one charset are decoded together.
    if (!isAdjacent || pending?.charset !== charset.toLowerCase()) flush();
    if (!isAdjacent) text += between;
    pending ??= { charset: charset.toLowerCase(), bytes: [] };
    pending.bytes.push(kind === 'B' || kind === 'b' ? Buffer.from(encoded, 'base64') : decodeQ(encoded));
    position = match.index + word.length;
  }
  flush();
  return text + value.slice(position);
}

function decodeQ(text: string): Buffer {
  // Characters beyond ASCII do not belong here, and were UTF-8.
  const bytes = Buffer.from(text.replaceAll('_', ' '), 'utf8').toString('latin1');
  const plain = bytes.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, 'latin1');
}

/** Decodes bytes in a charset, by any of its names (WHATWG Encoding); an unknown one as UTF-8, or windows-1252 if invalid. */
export function decodeCharset(bytes: Uint8Array, charset: string): string {
  const label = charset.trim().toLowerCase();
  try {
    if (label !== '' && label !== 'us-ascii' && label !== 'ascii') return new TextDecoder(label).decode(bytes);
  } catch {
    // RangeError: an unknown label
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
