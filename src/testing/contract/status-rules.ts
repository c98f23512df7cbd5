import assert from 'node:assert/strict';
import { isDelivered } from '../../model/status.ts';
import { type ContractRule, describeError, mail, mails, recipientsOf, resultAt } from './trial.ts';

const UNSENDABLE = mail('b@example.org', { fromEmail: 'not an address' });

/** What is said of a mail is true. */
export const STATUS_RULES: readonly ContractRule[] = [
  {
    name: 'every recipient has a status, in the order to, cc, bcc',
    async check(trial) {
      const { results } = await trial.deliver(
        mail(['Ann <ann@example.org>', 'bob@example.org'], { cc: 'cid@example.org', bcc: 'dan@example.org' }),
      );
      const [result] = results;
      const statuses = [...(result?.recipients ?? [])].map(([address, { status }]) => [address, status]);
      const addresses = ['ann@example.org', 'bob@example.org', 'cid@example.org', 'dan@example.org'];
      assert.deepEqual(
        statuses.map(([address]) => address),
        addresses,
      );
      assert(recipientsOf(await trial.deliver(mail('e@example.org'))).every(isDelivered), 'not all are sent or queued');
    },
  },
  {
    name: 'the id of a mail is told',
    async check(trial) {
      const { results } = await trial.deliver(mail('a@example.org'), mail('b@example.org'));
      const ids = results.map(({ messageId }) => (messageId instanceof Set ? [...messageId].join() : messageId));
      assert(ids.length === 2 && ids.every(Boolean), `the ids are ${JSON.stringify(ids)}`);
      assert.notEqual(ids[0], ids[1], 'two mails have one id');
    },
  },
  {
    name: 'several messages have a result each, in the order given',
    async check(trial) {
      const status = await trial.deliver(...mails(12));
      assert.equal(status.results.length, 12);
      for (let index = 0; index < 12; index++) {
        assert.deepEqual([...resultAt(status, index).recipients.keys()], [`user${index}@example.org`]);
      }
      await trial.isTrue({ status });
    },
  },
  {
    name: 'messages may come from an iterator or an async iterator',
    async check(trial) {
      const [first, second, third, fourth] = mails(4);
      assert(first && second && third && fourth);
      const stream = (async function* () {
        yield first;
        yield second;
      })();
      for (const messages of [stream, new Set([third, fourth])]) {
        const { thrown } = await trial.send(messages);
        if (thrown !== null) assert.fail(`it threw: ${describeError(thrown)}`);
      }
      assert.deepEqual([...(await trial.counts()).values()], [1, 1, 1, 1]);
    },
  },
  {
    name: 'a message that cannot be sent does not stop the others',
    async check(trial) {
      const outcome = await trial.send([mail('a@example.org'), UNSENDABLE, mail('c@example.org')]);
      if (outcome.thrown !== null) assert.fail(`it threw: ${describeError(outcome.thrown)}`);
      assert(resultAt(outcome.status, 1).error, 'the second message has no error');
      await trial.isTrue(outcome);
      assert.deepEqual([...(await trial.counts()).keys()].toSorted(), ['a@example.org', 'c@example.org']);
    },
  },
  {
    name: 'a message that cannot be sent is thrown, with failSilently too',
    async check(trial) {
      for (const failSilently of [false, true]) {
        const { thrown } = await trial.send([UNSENDABLE], { failSilently });
        assert(thrown !== null, `nothing was thrown with failSilently ${failSilently}`);
      }
      await trial.nothingArrived();
    },
  },
  {
    name: 'one refused recipient: it is told, and what is said of the others is true',
    needs: 'refuse',
    async check(trial) {
      trial.subject.refuse?.('no@example.org');
      const outcome = await trial.send([mail(['a@example.org', 'no@example.org'], { cc: 'c@example.org' })]);
      await trial.isTrue(outcome);
      const refused = resultAt(outcome.status, 0).recipients.get('no@example.org');
      assert.match(refused?.status ?? 'missing', /^(rejected|invalid|failed)$/);
      assert(refused?.error, 'the refused recipient has no error');
      const wasSent = recipientsOf(outcome.status).some(isDelivered);
      assert.equal(outcome.thrown === null, wasSent, 'it throws when nobody was sent the mail, and only then');
    },
  },
  {
    name: 'all recipients refused: it throws, with a status for each',
    needs: 'refuse',
    async check(trial) {
      for (const name of ['a', 'b']) trial.subject.refuse?.(`${name}@example.org`);
      const outcome = await trial.send([mail('a@example.org', { bcc: 'b@example.org' })]);
      assert(outcome.thrown !== null, 'nothing was thrown');
      assert.deepEqual(
        recipientsOf(outcome.status).map(({ address }) => address),
        ['a@example.org', 'b@example.org'],
      );
      assert(
        recipientsOf(outcome.status).every(({ status }) => /^(rejected|invalid|failed)$/.test(status)),
        'a status says more',
      );
      await trial.nothingArrived();
    },
  },
  {
    name: 'one message refused: the others of the call are sent',
    needs: 'refuse',
    async check(trial) {
      trial.subject.refuse?.('user1@example.org');
      const outcome = await trial.send(mails(3));
      await trial.isTrue(outcome);
      assert.equal(outcome.thrown, null, 'it threw although two messages were sent');
      assert(resultAt(outcome.status, 1).error, 'the refused message has no error');
      assert.deepEqual([...(await trial.counts()).keys()].toSorted(), ['user0@example.org', 'user2@example.org']);
    },
  },
  {
    name: 'the provider fails: it throws, with the truth about everybody',
    needs: 'breakDown',
    async check(trial) {
      trial.subject.breakDown?.();
      const outcome = await trial.send([mail(['a@example.org', 'b@example.org'])]);
      assert(outcome.thrown !== null, 'nothing was thrown');
      assert.equal(recipientsOf(outcome.status).length, 2, 'the error has no status of the recipients');
      assert(!recipientsOf(outcome.status).some(isDelivered), 'a recipient is told to be sent');
      await trial.isTrue(outcome);
    },
  },
  {
    name: 'the provider fails: failSilently returns it, and keeps the error',
    needs: 'breakDown',
    async check(trial) {
      trial.subject.breakDown?.();
      const { status, thrown } = await trial.send([mail('a@example.org')], { failSilently: true });
      if (thrown !== null) assert.fail(`it threw: ${describeError(thrown)}`);
      assert(status?.error, 'the status has no error');
      assert(!recipientsOf(status).some(isDelivered), 'a recipient is told to be sent');
      await trial.nothingArrived();
    },
  },
  {
    name: 'after a refusal it sends on',
    needs: 'refuse',
    async check(trial) {
      trial.subject.refuse?.('no@example.org');
      await trial.send([mail('no@example.org')]);
      await trial.reaches('yes@example.org');
    },
  },
  {
    name: 'the answer is lost: it says unknown, and does not send again',
    needs: 'loseAnswers',
    async check(trial) {
      trial.subject.loseAnswers?.();
      const outcome = await trial.send([mail('a@example.org')]);
      await trial.isTrue(outcome);
      const [recipient] = recipientsOf(outcome.status);
      assert.equal(recipient?.status, 'unknown', `it says ${recipient?.status}`);
      assert.equal(recipient.retryable, false, 'it invites to send the mail again');
    },
  },
];
