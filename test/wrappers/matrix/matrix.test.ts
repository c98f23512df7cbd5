import { describe, expect, test } from 'vitest';
import { FAULTS, type Fault } from './providers.ts';
import { CASES, play } from './trial.ts';

/** Of all cases, so many are left out between two. */
const STEP = 17;

/** A sample of the matrix; matrix.slow.test.ts has the whole of it. */
const SAMPLE = CASES.filter((_, index) => index % STEP === 0);

describe.each(FAULTS)('%s', (fault: Fault) => {
  test.each(SAMPLE.filter((each) => each.fault === fault))(
    '$tree.name of $provider, where it fails: $how',
    async (each) => {
      const verdict = await play(each);
      expect(verdict?.contradictions.join('\n') ?? '', verdict?.story).toBe('');
    },
  );
});
