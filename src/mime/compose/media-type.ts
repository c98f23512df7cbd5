import { MessageError } from '../../model/errors.ts';

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
