import { decodeWords } from '../../mime/read/decode-words.ts';
import { type HeaderField, headerText } from '../../mime/read/headers.ts';
import { isObject } from '../../util/json.ts';

const MAX_TAGS = 50;
const MAX_METADATA = 100;

/** The tags of a mail: one per X-Tag header, as a tag may contain commas. */
export function readTags(headers: readonly HeaderField[]): string[] {
  return headers
    .filter(({ name }) => name.toLowerCase() === 'x-tag')
    .map(({ value }) => decodeWords(value).trim())
    .filter((tag) => tag !== '')
    .slice(0, MAX_TAGS);
}

/** The metadata of a mail: the texts of the JSON object in its X-Metadata header; empty when it is anything else. */
export function readMetadata(headers: readonly HeaderField[]): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(headerText(headers, 'x-metadata') ?? '{}');
  } catch {
    return {}; // not our X-Metadata
  }
  if (!isObject(value)) return {};
  const texts = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts.slice(0, MAX_METADATA));
}
