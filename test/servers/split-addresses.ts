/** The addresses of a list that commas separate, outside of quotes. */
export function splitAddresses(list: string): readonly string[] {
  const entries = list.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  return entries.map((entry) => entry.trim()).filter((entry) => entry !== '');
}
