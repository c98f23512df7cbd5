import type { ConfigurationError } from '../model/errors.ts';
import { controlNameIn } from '../util/control-name.ts';
import { readQuery, type UrlParts, urlFault } from './url-parts.ts';

/** A wrapper as text: `failover(smtps://user:pass@host @backup)?cooldownMs=5000`. */
export interface WrapperText {
  /** The name of the wrapper. */
  readonly wrapper: string;
  /** What each connection is made from, in order: a name, `@name`, URL, or a wrapper again. */
  readonly connections: readonly string[];
  readonly query: UrlParts['query'];
}

const START = /^([a-z][a-z0-9-]*)\(/i;

/** Whether a text is a wrapper rather than a name or URL. */
export function isWrapperText(text: string): boolean {
  return START.test(text);
}

/** @throws {ConfigurationError} `invalid-option`, which says where it is broken, and shows no URL. */
export function readWrapperText(text: string): WrapperText {
  const control = controlNameIn(text.replace(/[\t\n\r]/g, ' '));
  if (control !== null) throw urlFault(`it has ${control} in it: remove it`);
  const wrapper = START.exec(text)?.[1]?.toLowerCase() ?? '';
  const begin = wrapper.length + 1;
  const end = endOf(text, begin, wrapper);
  const inner = text.slice(begin, end);
  const rest = text.slice(end + 1);
  if (rest !== '' && !rest.startsWith('?')) {
    throw urlFault(`after ${wrapper}(...) only ?option=value may follow, at character ${end + 2}`);
  }
  return { wrapper, connections: split(inner, begin, wrapper), query: readQuery(rest.slice(1)) };
}

function endOf(text: string, begin: number, wrapper: string): number {
  let depth = 1;
  for (let i = begin; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  throw unclosed(wrapper, begin);
}

function unclosed(wrapper: string, begin: number): ConfigurationError {
  return urlFault(
    `the '(' of ${wrapper}, at character ${begin}, is not closed; one that belongs to a password is written %28`,
  );
}

/** White space parts them, but not inside of another wrapper. */
function split(inner: string, begin: number, wrapper: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const [i, character] of [...`${inner} `].entries()) {
    if (character === '(') depth++;
    if (character === ')') depth--;
    if (depth > 0 || !/\s/.test(character)) {
      part += character;
      continue;
    }
    if (part.endsWith(','))
      throw urlFault(`${wrapper}: write blanks between connections, no comma, at character ${begin + i}`);
    if (part !== '') parts.push(part);
    part = '';
  }
  return parts;
}
