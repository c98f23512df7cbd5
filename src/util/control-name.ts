const NAMES: Readonly<Record<string, string>> = {
  '\0': 'a NUL',
  '\t': 'a tab',
  '\n': 'a line break',
  '\r': 'a line break',
};

/** The name of the first control character of a text, such as `a line break`; null without one. */
export function controlNameIn(text: string): string | null {
  const [character] = /\p{Cc}/u.exec(text) ?? [];
  return character === undefined ? null : (NAMES[character] ?? 'a control character');
}
