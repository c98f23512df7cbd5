/** The wait before a further try in milliseconds: doubled with each up to the longest, with up to a quarter of jitter. */
export function backoff(
  tries: number,
  { baseMs, maxMs }: { readonly baseMs: number; readonly maxMs: number },
  random: () => number = Math.random,
): number {
  return Math.min(maxMs, baseMs * 2 ** (tries - 1)) * (1 + random() / 4);
}
