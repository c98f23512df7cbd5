import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { CommitTrial, errorsOf, outcomes, WITHHELD } from '../../commit-trial.ts';
import { StrictSes } from '../../servers/strict-ses.ts';
import { addresses, closeAll, connectTo, mail } from './connect.ts';

let ses: StrictSes;
beforeAll(async () => {
  ses = await StrictSes.start();
});
afterAll(() => ses.close());
afterEach(async () => {
  await closeAll();
  ses.reset();
});

/** The requests that send, by their names. */
function sends(): readonly string[] {
  return ses.requests.map(({ operation }) => operation).filter((operation) => operation !== 'GetAccount');
}

test('a mail is asked for once, when its turn has come, before its first request', async () => {
  const trial = new CommitTrial(() => null);
  const sending = trial.deliver(connectTo(ses), [mail({ to: addresses(120) })]);
  await expect.poll(() => trial.asked).toEqual([[0]]);
  expect(sends()).toEqual([]);
  trial.answer(0, true);
  expect(outcomes(await sending)).toEqual([expect.stringContaining('sent')]);
  expect(sends()).toEqual(['SendEmail', 'SendEmail', 'SendEmail']);
  expect(trial.asked).toEqual([[0]]);
});

test.each([
  ['a no', false],
  ['a failure', new Error('the disk is full')],
])('a mail that is withheld by %s is not sent, and the others are', async (_, answer) => {
  const trial = new CommitTrial((index) => (index === 1 ? answer : true));
  const results = await trial.deliver(connectTo(ses), [mail(), mail({ to: addresses(60) }), mail()]);
  expect(errorsOf(results)).toMatchObject([null, WITHHELD, null]);
  expect([...(results[1]?.recipients.values() ?? [])].every(({ status }) => status === 'failed')).toBe(true);
  expect(sends()).toEqual(['SendEmail', 'SendEmail']);
  expect(trial.counts).toEqual({ 0: 1, 1: 1, 2: 1 });
});

test('a mail that is being asked for is settled at once when its call is aborted, and never sent', async () => {
  const controller = new AbortController();
  const trial = new CommitTrial(() => null);
  const sending = trial.deliver(connectTo(ses), [mail()], { signal: controller.signal });
  await expect.poll(() => trial.asked).toEqual([[0]]);
  controller.abort();
  expect(errorsOf(await sending)).toMatchObject([{ code: 'aborted', outcome: 'not-sent' }]);
  trial.answer(0, true);
  await closeAll();
  expect(sends()).toEqual([]);
});

test('a mail with data of each recipient is asked for once over all its requests', async () => {
  const trial = new CommitTrial((index) => index === 0);
  const merge = mail({ to: addresses(70), mergeData: {}, mergeGlobalData: {} });
  expect(errorsOf(await trial.deliver(connectTo(ses), [merge, merge]))).toMatchObject([null, WITHHELD]);
  expect(sends().every((operation) => operation === 'SendBulkEmail')).toBe(true);
  expect(ses.accepted.flatMap(({ recipients }) => recipients)).toHaveLength(70);
  expect(trial.counts).toEqual({ 0: 1, 1: 1 });
});
