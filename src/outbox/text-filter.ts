import type { StoredMail } from './store.ts';

/** The names of what is told, as `"subject":`, which nobody looks for. */
const NAMES = /"[A-Za-z]+":/g;

/** Whether what is told of a mail has this text, whatever the case of its letters; all have where none is given. */
export function textFilter(text: string | undefined): (mail: Pick<StoredMail, 'facts'>) => boolean {
  if (text === undefined) return () => true;
  const wanted = text.toLowerCase();
  const has = (facts: string): boolean => facts.toLowerCase().includes(wanted);
  return ({ facts }) => has(facts) && has(facts.replaceAll(NAMES, ''));
}
