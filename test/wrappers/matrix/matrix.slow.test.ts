import { expect, test } from 'vitest';
import { CASES, play } from './trial.ts';

test(`${CASES.length} cases: every fault, wrapper and provider`, { timeout: 1_800_000 }, async () => {
  const found: string[] = [];
  let played = 0;
  for (const each of CASES) {
    const verdict = await play(each);
    if (verdict === null) continue;
    played++;
    const { contradictions, story } = verdict;
    if (contradictions.length === 0) continue;
    const { tree, provider, fault, how } = each;
    found.push(`${tree.name} of ${provider}, ${how}: ${fault}\n${contradictions.join('\n')}\n${story}`);
  }
  console.info(`${played} cases, ${found.length} with contradictions`);
  expect(found.slice(0, 10).join('\n\n')).toBe('');
});
