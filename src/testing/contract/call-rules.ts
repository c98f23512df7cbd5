import assert from 'node:assert/strict';
import { isDelivered } from '../../model/status.ts';
import { type ContractRule, mail, mails, recipientsOf, type Trial, within } from './trial.ts';

/** Milliseconds in which an aborted call must end. */
const PROMPT_MS = 8_000;
/** Milliseconds in which a provider that says so must have got a request. */
const UNDER_WAY_MS = 30_000;

/** Calls, connections and signals do what they say. */
export const CALL_RULES: readonly ContractRule[] = [
  {
    name: 'aborted before: nothing is sent',
    async check(trial) {
      const outcome = await trial.send(mails(2), { signal: AbortSignal.abort() });
      await trial.nothingArrived();
      assert(outcome.thrown !== null, 'nothing was thrown');
      assert(!recipientsOf(outcome.status).some(isDelivered), 'a recipient is told to be sent');
    },
  },
  {
    name: 'aborted between two messages: the second is not sent',
    async check(trial) {
      const controller = new AbortController();
      const [first, second] = mails(2);
      assert(first && second);
      const messages = (async function* () {
        yield first;
        controller.abort();
        yield second;
      })();
      await trial.isTrue(await trial.send(messages, { signal: controller.signal }));
      assert.equal((await trial.counts()).get('user1@example.org'), undefined, 'the second message was sent');
    },
  },
  {
    name: 'aborted while the provider is silent: it ends at once, and is true',
    needs: 'stall',
    async check(trial) {
      const stalled = trial.subject.stall?.();
      const controller = new AbortController();
      const sending = trial.send([mail('a@example.org')], { signal: controller.signal });
      const isUnderWay =
        stalled instanceof Promise ? stalled : new Promise<void>((resolve) => setTimeout(resolve, 100));
      await within(UNDER_WAY_MS, isUnderWay, 'nothing was sent');
      controller.abort();
      const outcome = await within(PROMPT_MS, sending, 'the call went on after it was aborted');
      assert(outcome.thrown !== null, 'nothing was thrown');
      assert(!recipientsOf(outcome.status).some(isDelivered), 'a recipient is told to be sent');
      await trial.isTrue(outcome);
    },
  },
  {
    name: 'aborted after: nothing changes',
    async check(trial) {
      const controller = new AbortController();
      const outcome = await trial.send([mail('a@example.org')], { signal: controller.signal });
      controller.abort();
      await trial.isTrue(outcome);
      await trial.reaches('b@example.org');
    },
  },
  {
    name: 'closed, it sends again',
    async check(trial) {
      await trial.reaches('a@example.org');
      await trial.subject.backend.close();
      await trial.reaches('b@example.org');
      await trial.subject.backend.close();
      await trial.subject.backend.close();
      await trial.subject.backend.open();
      await trial.reaches('c@example.org');
    },
  },
  {
    name: 'opened twice and closed once, it sends on',
    async check(trial) {
      const { backend } = trial.subject;
      await backend.open();
      await backend.open();
      const sending = trial.deliver(...mails(5));
      await backend.close();
      await sending;
      await trial.reaches('a@example.org');
      await backend.close();
    },
  },
  {
    name: 'close waits for what is under way',
    async check(trial) {
      const sending = trial.send(mails(5));
      await trial.subject.backend.close();
      await trial.isTrue(await sending);
      assert.equal((await trial.counts()).size, 5, 'mails were lost');
    },
  },
  {
    name: 'twenty calls at once: each mail arrives once',
    async check(trial) {
      await Promise.all(mails(20).map((message) => trial.deliver(message)));
      await arrivedOnce(trial, 20);
    },
  },
  {
    name: 'fifty messages in a call: none is lost, none is sent twice',
    async check(trial) {
      await trial.deliver(...mails(50));
      await arrivedOnce(trial, 50);
    },
  },
];

async function arrivedOnce(trial: Trial, count: number): Promise<void> {
  const counts = await trial.counts();
  assert.deepEqual([counts.size, [...counts.values()].filter((times) => times !== 1)], [count, []]);
}
