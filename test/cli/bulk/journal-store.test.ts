import { expect, test } from 'vitest';
import { failedDelivery } from '../../../src/backend/job.ts';
import { Part } from '../../../src/backend/part.ts';
import type { BulkMail } from '../../../src/cli/bulk/bulk-mail.ts';
import type { RowEnd } from '../../../src/cli/bulk/journal.ts';
import { JournalStore } from '../../../src/cli/bulk/journal-store.ts';
import type { Person } from '../../../src/cli/bulk/read-people.ts';
import { getConnection } from '../../../src/connection/connection.ts';
import { SendError } from '../../../src/model/errors.ts';
import { settlementOf } from '../../../src/outbox/settlement.ts';

const mail: BulkMail = {
  draft: ([to = '']) => ({ subject: 'Hi', body: 'x', fromEmail: 'a@example.com', to }),
  to: ([to = '']) => to,
  keys: () => [],
  hash: ([to = '']) => `hash of ${to}`,
};

async function* people(...addresses: readonly string[]): AsyncGenerator<Person> {
  for (const [place, address] of addresses.entries()) yield { row: place + 1, line: place + 2, cells: [address] };
}

function storeOf(...addresses: readonly string[]) {
  const lines: string[] = [];
  const journal = {
    start: async (rows: readonly { readonly row: number; readonly hash: string }[]): Promise<void> => {
      lines.push(...rows.map(({ row, hash }) => `start ${row} ${hash}`));
    },
    end: (rows: readonly RowEnd[]): void => {
      lines.push(...rows.map(({ row, outcome, hash = '' }) => `end ${row} ${outcome} ${hash}`.trimEnd()));
    },
  };
  const options = {
    mail,
    journal,
    onRow: () => {},
    onError: () => {},
    onFault: () => {},
    onEnd: () => void lines.push('over'),
  };
  return { lines, store: new JournalStore(people(...addresses), new Part(getConnection('dummy')), options) };
}

const claim = (store: JournalStore) => store.claim({ lanes: [], limit: 10, leaseMs: 1000 });

test('a row that is given back leaves no trace, or is unsent where it was started, and is handed out again', async () => {
  const { lines, store } = storeOf('ann@example.org', 'bob@example.org');
  const { mails } = await claim(store);
  await store.mark(mails.slice(0, 1));
  await store.settle(mails.map((claimed) => settlementOf(claimed, 'queued')));
  expect(lines).toEqual(['start 1 hash of ann@example.org', 'end 1 unsent']);
  expect((await claim(store)).mails.map(({ id }) => id)).toEqual(['1', '2']);
});

test('a row that makes no mail is recorded, and no worker gets it', async () => {
  const { lines, store } = storeOf('ann', 'bob');
  expect((await claim(store)).mails).toEqual([]);
  expect(lines).toEqual(['end 1 invalid hash of ann', 'end 2 invalid hash of bob', 'over']);
});

test('a row that failed before it could leave is recorded whole, and may not leave any more', async () => {
  const { lines, store } = storeOf('ann@example.org', 'bob@example.org');
  const { mails } = await claim(store);
  const [ann] = mails;
  if (ann === undefined) throw new Error('nothing was claimed');
  const error = new SendError('rejected', 'no', { phase: 'mail' });
  const answer = failedDelivery({ index: 0, message: await store.open(ann) }, error, 'rejected');
  const judged = { ...ann, facts: store.readFacts(ann), isRepeated: false };
  const { to } = store.judge(judged, answer);
  await store.settle([settlementOf(ann, to)]);
  expect(lines).toEqual(['end 1 rejected hash of ann@example.org']);
  expect((await store.mark(mails)).map(({ id }) => id)).toEqual(['2']);
});
