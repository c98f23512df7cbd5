import { expect } from 'vitest';
import { fc } from '../properties.ts';
import { grow, type Ledger, type Tree, tree } from './random-trees.ts';

const DEADLINE_MS = 40;
/** When a call has missed its deadline, however deep its wrappers are. */
const LATE_MS = 2_000;

const mails = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }).map((counts) =>
  counts.map((count, i) => ({
    subject: 's'.repeat(i + 1),
    body: 'b',
    fromEmail: 'shop@example.com',
    to: Array.from({ length: count }, (_, n) => `p${i}-${n}@example.org`),
  })),
);

/** What a status says that the ledger contradicts. */
async function contradictions(
  script: Tree,
  messages: readonly { readonly to: readonly string[] }[],
): Promise<string[]> {
  const ledger: Ledger = new Map();
  const copies: Ledger = new Map();
  const connection = grow(script, ledger, copies, DEADLINE_MS);
  const found: string[] = [];
  // The timers of a busy machine are late together.
  const late = setTimeout(() => found.push(`it has not ended ${LATE_MS} ms after it began`), LATE_MS);
  const status = await connection.sendMessages(messages as never, { failSilently: true }); // complete drafts
  clearTimeout(late);
  const wanted = messages.flatMap(({ to }) => to);
  if ([...status.recipients.keys()].join() !== wanted.join())
    found.push(`recipients: ${[...status.recipients.keys()]}`);
  for (const [address, { status: is, via, tries }] of status.recipients) {
    const by = ledger.get(address) ?? [];
    const told = `${address} is ${is} via ${via}, accepted by [${by}], tries ${JSON.stringify(tries)}`;
    if (is === 'sent' ? by.length !== 1 || !via?.endsWith(by[0] ?? '') : by.length > (is === 'unknown' ? 1 : 0))
      found.push(told);
    if (tries !== undefined && tries.at(-1)?.status !== is) found.push(`the last try tells something else: ${told}`);
  }
  for (const [address, by] of copies)
    if (new Set(by).size !== by.length) found.push(`copied twice: ${address} [${by}]`);
  return found;
}

/** Tries so many random trees. */
export async function tryTrees(runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(tree, mails, async (script, messages) => {
      expect(await contradictions(script, messages)).toEqual([]);
    }),
    { numRuns: runs },
  );
}
