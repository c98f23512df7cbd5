import type { AnyOptionTable } from '../options/option-table.ts';
import { controlNameIn } from '../util/control-name.ts';
import { setOption } from './url.ts';
import { readQuery, urlFault } from './url-parts.ts';

const START = /^outbox:/i;

/** Whether a text is an outbox, such as `outbox:sqlite:./mail.db?via=@smtp`. */
export function isOutboxText(text: string): boolean {
  return START.test(text);
}

/**
 * The options that it stands for: `via` is the connection, what is no option of an outbox belongs to the store.
 *
 * @throws {ConfigurationError} `invalid-option`, which does not show the text: it may hold passwords.
 */
export function readOutboxText(text: string, table: AnyOptionTable): Record<string, unknown> {
  const control = controlNameIn(text);
  if (control !== null) throw urlFault(`it has ${control} in it: remove it`);
  const rest = text.replace(START, '');
  const mark = rest.indexOf('?');
  const store = mark < 0 ? rest : rest.slice(0, mark);
  if (store === '' || !store.includes(':'))
    throw urlFault("name the store of the outbox: 'outbox:sqlite:./mail.db?via=@smtp'");
  const pairs = mark < 0 || mark === rest.length - 1 ? [] : rest.slice(mark + 1).split('&');
  const isOurs = (pair: string) => pair.startsWith('via=') || Object.hasOwn(table, pair.split(/[=.]/, 1)[0] ?? '');
  const options: Record<string, unknown> = {};
  for (const [key, value] of readQuery(pairs.filter(isOurs).join('&'))) {
    setOption(options, table, key === 'via' ? 'connection' : key, value);
  }
  const others = pairs.filter((pair) => !isOurs(pair)).join('&');
  return { ...options, store: others === '' ? store : `${store}?${others}` };
}
