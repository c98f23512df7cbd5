import { decodeWords } from '../mime/decode-words.ts';
import { type HeaderField, headerText } from '../mime/read-headers.ts';

const MAX_TAGS = 50;
const MAX_METADATA = 100;

/** The tags of a mail: each X-Tag header is one, as it may have a comma. */
export function readTags(headers: readonly HeaderField[]): string[] {
  return headers
    .filter(({ name }) => name.toLowerCase() === 'x-tag')
    .map(({ value }) => decodeWords(value).trim())
    .filter((tag) => tag !== '')
    .slice(0, MAX_TAGS);
}

/** The metadata of a mail: the texts of the JSON object in its X-Metadata header; none when it is something else. */
export function readMetadata(headers: readonly HeaderField[]): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(headerText(headers, 'x-metadata') ?? '{}');
  } catch {
    return {}; // a header of somebody else's
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const texts = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts.slice(0, MAX_METADATA));
}
