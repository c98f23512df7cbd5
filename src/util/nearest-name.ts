/**
 * The known name closest to a misspelt one, or null: equal except for case and separators, or with a few letters missing, added,
 * replaced or swapped (the longer the name, the more).
 */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const folded = fold(name);
  if (folded.length > 60) return null;
  let nearest: string | null = null;
  let best = Math.floor((folded.length + 1) / 4) + 1;
  for (const candidate of known) {
    const distance = editDistance(folded, fold(candidate), best);
    if (distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** The number of insertions, deletions, replacements and swapped neighbours between two texts, at most `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (last[j] ?? limit) + 1,
        (row[j - 1] ?? limit) + 1,
        (last[j - 1] ?? limit) + (isSame ? 0 : 1),
        isSwapped ? (before[j - 2] ?? limit) + 1 : limit,
      );
    }
    before = last;
    last = row;
  }
  return Math.min(last[b.length] ?? limit, limit);
}
