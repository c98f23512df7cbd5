/** A copy of a list; reads its length and each entry once, whatever methods and getters the list has. */
export function copyList<T>(list: readonly T[]): T[] {
  const copy: T[] = [];
  const { length } = list;
  for (let index = 0; index < length; index++) copy.push(list[index] as T); // a hole is an entry like any other
  return copy;
}
