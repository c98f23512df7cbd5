import { expect, it } from 'vitest';
import { mail, setUp } from './outbox-set-up.ts';

/** In which lanes the first mails were that went, by the first letter of their lane. */
async function firstOf(count: number, weights: Record<string, number>, concurrency: number): Promise<string[]> {
  const lanes = Object.fromEntries(Object.entries(weights).map(([lane, weight]) => [lane, { weight }]));
  const { outbox, dummy } = setUp({ lanes });
  for (const lane of Object.keys(weights).toReversed())
    await outbox.enqueue(
      Array.from({ length: count }, () => mail({ subject: lane })),
      { lane },
    );
  await outbox.flush({ concurrency });
  return dummy.messages.slice(0, count).map(({ subject }) => subject);
}

it.each([1, 4, 100])(
  'lanes that all have mails share the places of a worker by their weights: of %i',
  async (places) => {
    const first = await firstOf(1_200, { code: 3, bulk: 1 }, places);
    // Of what a worker has at once, lanes of more weight go first: the share is that of what it claims.
    const codes = first.slice(400).filter((lane) => lane === 'code').length;
    expect(codes).toBeGreaterThanOrEqual(560);
    expect(codes).toBeLessThanOrEqual(640);
  },
);
