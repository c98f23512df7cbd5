/** The wait after a store has failed; each further one is twice as long. */
export const STORE_WAIT_MS = 250;
const LONGEST_STORE_WAIT_MS = 10_000;

export function storeWaitMs(failures: number): number {
  return Math.min(LONGEST_STORE_WAIT_MS, STORE_WAIT_MS * 2 ** failures);
}
