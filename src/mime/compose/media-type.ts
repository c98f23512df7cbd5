import type { Attachment } from '../../model/attachment.ts';
import { MessageError } from '../../model/errors.ts';
import { simpleParameter } from './parameters.ts';

/** A parsed media type (RFC 2045, section 5.1): names in lower case, values without quotes. */
interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[\\w!#$%&'*+.^`{|}~-]+";
const TYPE = /* @__PURE__ */ (() => new RegExp(`^(${TOKEN}/${TOKEN}) *`))();
const PARAMETER = /* @__PURE__ */ (() =>
  new RegExp(`; *(${TOKEN}) *= *(?:(${TOKEN})|"((?:[^"\\\\]|\\\\.)*)") *`, 'y'))();

/**
 * Parses a media type with its parameters.
 *
 * @throws {MessageError} `invalid-message` under `path` when it is malformed, or `multipart/*`: an attachment is one part.
 */
export function parseMediaType(text: string, path: string): MediaType {
  const start = TYPE.exec(text);
  const type = start?.[1]?.toLowerCase() ?? '';
  const parameters = new Map<string, string>();
  let at = start?.[0].length ?? 0;
  while (start && at < text.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (!match) break;
    parameters.set(String(match[1]).toLowerCase(), match[2] ?? String(match[3]).replace(/\\(.)/g, '$1'));
    at = PARAMETER.lastIndex;
  }
  if (!start || at < text.length || type.startsWith('multipart/')) {
    const message = `${JSON.stringify(text)} must be a single part's media type such as 'text/csv; charset=utf-8'`;
    throw new MessageError([{ path, code: 'content-type', message }]);
  }
  return { type, parameters };
}

/**
 * The media type that an attachment is sent with: without a name, as `filename` says it; text that is given as a string is UTF-8.
 *
 * @throws {MessageError} `invalid-message` under `path` when it is not a single part's, or contradicts the content.
 */
export function attachmentType({ content, mimetype }: Attachment, path: string): MediaType {
  const { type, parameters } = parseMediaType(mimetype, path);
  const isText = typeof content === 'string' && type.startsWith('text/');
  const all = isText ? withUtf8(parameters, path) : new Map(parameters);
  for (const name of all.keys()) if (/^name(?:\*|$)/.test(name)) all.delete(name); // RFC 2231 continuations too
  return { type, parameters: all };
}

/**
 * The parameters of text that is sent as UTF-8.
 *
 * @throws {MessageError} `invalid-message` under `path` when they name another charset.
 */
export function withUtf8(parameters: ReadonlyMap<string, string>, path: string): Map<string, string> {
  if (!/^utf-?8$/i.test(parameters.get('charset') ?? 'utf-8')) {
    const message = 'its charset must be utf-8, as which a string is sent; give bytes for any other';
    throw new MessageError([{ path, code: 'content-type', message }]);
  }
  return new Map([...parameters, ['charset', 'utf-8']]);
}

/** A media type with its parameters, as it stands in a header. */
export function formatMediaType({ type, parameters }: MediaType): string {
  return [type, ...[...parameters].map(([name, value]) => simpleParameter(name, value))].join('; ');
}
