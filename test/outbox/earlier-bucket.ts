const PARTS_MS: Readonly<Record<string, number>> = { second: 10, minute: 600, hour: 36_000, day: 864_000 };

interface Kept {
  readonly at: number;
  readonly paidAt: number;
  readonly perSecond: number | null;
  readonly toldAt: number;
  readonly room: readonly [count: number, at: number] | null;
  readonly windows: Readonly<Record<string, readonly number[]>>;
}

/** What a store keeps of a bucket, as if it had been kept so many milliseconds earlier; to the parts that windows are counted in. */
export function earlierBucket(text: string, ms: number): string {
  if (text === '') return '';
  const kept = JSON.parse(text) as Kept; // as src/outbox/buckets.ts writes it
  const windows = Object.entries(kept.windows).map(([name, [max = 0, others = 0, first = 0, ...counts]]) => {
    return [name, [max, others, first - Math.floor(ms / (PARTS_MS[name] ?? 1)), ...counts]];
  });
  return JSON.stringify({
    ...kept,
    ...{ at: kept.at - ms, paidAt: kept.paidAt - ms, toldAt: kept.toldAt - ms },
    room: kept.room && [kept.room[0], kept.room[1] - ms],
    windows: Object.fromEntries(windows),
  });
}
