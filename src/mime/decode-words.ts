import { decodeCharset } from './decode-charset.ts';

const ENCODED_WORD = /=\?([^?\s*]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?]*)\?=/g;

/** Reads the encoded-words in a header value (RFC 2047); what is none stays as it is. */
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
    // A character may be cut between two words, so that neighbours of one charset are read as one.
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
  // What is beyond ASCII should not be there; it was UTF-8.
  const octets = Buffer.from(text.replaceAll('_', ' '), 'utf8').toString('latin1');
  const plain = octets.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, 'latin1');
}
