import { expect, it } from 'vitest';
import { planCase, runCase } from './random-trial.ts';
import { Summary } from './summary.ts';

const isFull = process.env['FAULTS'] === 'all';
const AT_ONCE = 50;
/** The mails that a full run sends at least; in the usual test run there are a few cases, always the same. */
const MAILS = 40_000;
const TIMEOUT_MS = 900_000;

/** The cases of this run: one, or one after the other, of a seed until there are mails enough, or the sample. */
function* cases(summary: Summary): Generator<readonly [seed: number, number: number]> {
  const { FAULTS_SEED, FAULTS_CASE } = process.env;
  if (FAULTS_CASE !== undefined) {
    yield [Number(FAULTS_SEED ?? 1), Number(FAULTS_CASE)];
    return;
  }
  if (isFull || FAULTS_SEED !== undefined) {
    const seed = Number(FAULTS_SEED ?? Math.trunc(Math.random() * 2 ** 31));
    console.log(`FAULTS_SEED=${seed}`);
    for (let number = 1; summary.mails < MAILS; number++) yield [seed, number];
    return;
  }
  for (const seed of [1, 2, 3, 4]) for (let number = 1; number <= 18; number++) yield [seed, number];
}

it('tells the truth to who meets random faults', { timeout: TIMEOUT_MS }, async () => {
  const summary = new Summary();
  const queue = cases(summary);
  const isSingle = process.env['FAULTS_CASE'] !== undefined;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const [seed, number] of queue) {
        const trialCase = planCase(seed, number);
        const report = await runCase(trialCase);
        summary.add(trialCase, report);
        if (isSingle) console.log(JSON.stringify(trialCase, null, 1), report.journal.join('\n'), report);
      }
    }),
  );
  console.log(summary.table);
  expect(summary.contradictions).toEqual([]);
});
