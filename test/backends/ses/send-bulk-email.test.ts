import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EmailError } from '../../../src/model/errors.ts';
import { type Fault, StrictSes } from '../../servers/strict-ses.ts';
import { addresses, closeAll, connectTo, errorOf, mail, statuses } from './connect.ts';

let ses: StrictSes;
beforeAll(async () => {
  ses = await StrictSes.start();
});
afterAll(() => ses.close());
afterEach(async () => {
  await closeAll();
  ses.reset();
});

/** Fails every request that sends. */
function failWith(fault: Fault): void {
  ses.script = ({ operation }) => (operation === 'GetAccount' ? undefined : fault);
}

const sends = () => ses.requests.filter(({ operation }) => operation !== 'GetAccount');

function facts({ name, code, outcome, retryable }: EmailError): readonly unknown[] {
  return [name, code, outcome, retryable];
}

describe('entries of a bulk request', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['MESSAGE_REJECTED', 'rejected', 'rejected'],
    ['MAIL_FROM_DOMAIN_NOT_VERIFIED', 'failed', 'account'],
    ['CONFIGURATION_SET_NOT_FOUND', 'failed', 'account'],
    ['CONFIGURATION_SET_DOES_NOT_EXIST', 'failed', 'account'],
    ['TEMPLATE_NOT_FOUND', 'failed', 'template'],
    ['TEMPLATE_DOES_NOT_EXIST', 'failed', 'template'],
    ['ACCOUNT_SUSPENDED', 'failed', 'account'],
    ['ACCOUNT_DAILY_QUOTA_EXCEEDED', 'failed', 'quota'],
    ['INVALID_SENDING_POOL_NAME', 'failed', 'account'],
    ['ACCOUNT_SENDING_PAUSED', 'failed', 'account'],
    ['CONFIGURATION_SET_SENDING_PAUSED', 'failed', 'account'],
    ['INVALID_PARAMETER', 'invalid', 'invalid-recipient'],
    ['INVALID_PARAMETER_VALUE', 'invalid', 'invalid-recipient'],
    ['FAILED', 'failed', 'provider'],
    ['SOMETHING_NEW', 'unknown', 'uncertain'],
  ];
  const three = mail({ to: addresses(3), mergeData: {}, mergeGlobalData: {} });

  test.each(table)('%s: %s', async (status, expected, code) => {
    failWith({ statuses: [undefined, status], error: 'because' });
    const result = await connectTo(ses).sendMessages([three]);
    expect(Object.values(statuses(result))).toEqual(['sent', expected, 'sent']);
    const recipient = result.recipients.get('user1@example.org');
    expect(recipient).toMatchObject({
      code,
      error: { code, message: expect.stringContaining('because') },
      retryable: false,
    });
    expect(sends()).toHaveLength(1);
  });

  test.each(['ACCOUNT_THROTTLED', 'TRANSIENT_FAILURE'])('%s: only these are tried again', async (status) => {
    const faults: (readonly (string | undefined)[])[] = [
      [undefined, status, status],
      [status, undefined],
    ];
    ses.script = ({ operation }) => {
      const statusesNow = operation === 'GetAccount' ? undefined : faults.shift();
      return statusesNow && { statuses: statusesNow };
    };
    const result = await connectTo(ses).sendMessages([three]);
    expect(result.isSuccess).toBe(true);
    expect(sends().map(({ mails }) => mails.flat())).toEqual([
      ['user0@example.org', 'user1@example.org', 'user2@example.org'],
      ['user1@example.org', 'user2@example.org'],
      ['user1@example.org'],
    ]);
    expect([...ses.deliveries.values()]).toEqual([1, 1, 1]);
  });

  test('tried in vain they have failed, and may be tried later', async () => {
    failWith({ statuses: ['TRANSIENT_FAILURE', undefined, 'TRANSIENT_FAILURE'] });
    ses.script = ({ mails }) => ({
      statuses: (mails as string[][]).map(([to]) => (to === 'user1@example.org' ? undefined : 'TRANSIENT_FAILURE')),
    });
    const result = await connectTo(ses, { retry: { attempts: 3, baseMs: 1 } }).sendMessages([three]);
    expect(Object.values(statuses(result))).toEqual(['failed', 'sent', 'failed']);
    expect(result.recipients.get('user0@example.org')).toMatchObject({ code: 'temporary', retryable: true });
    expect(sends()).toHaveLength(3);
  });

  test('the same failure of all is thrown as such', async () => {
    failWith({ statuses: ['MESSAGE_REJECTED', 'MESSAGE_REJECTED', 'MESSAGE_REJECTED'] });
    expect(facts(await errorOf(connectTo(ses).sendMessages([three])))).toEqual([
      'SendError',
      'rejected',
      'not-sent',
      false,
    ]);
  });

  test('SUCCESS without an id is unknown', async () => {
    failWith({ answer: '{"BulkEmailEntryResults":[{"Status":"SUCCESS"},{"Status":"SUCCESS","MessageId":"1"},{}]}' });
    const status = await connectTo(ses).sendMessages([three]);
    expect(Object.values(statuses(status))).toEqual(['unknown', 'sent', 'unknown']);
    expect(sends()).toHaveLength(1);
  });

  test('a list of another length tells nothing of any', async () => {
    failWith({ answer: '{"BulkEmailEntryResults":[{"Status":"SUCCESS","MessageId":"1"}]}' });
    const error = await errorOf(connectTo(ses).sendMessages([three]));
    expect(Object.values(statuses(error.status))).toEqual(['unknown', 'unknown', 'unknown']);
  });

  test('what would meet every request ends the mail; the rest fails with it', async () => {
    failWith({ name: 'AccountSuspendedException', message: 'no' });
    const to = addresses(500);
    const error = await errorOf(
      connectTo(ses, { maxConnections: 2 }).sendMessages([mail({ to, mergeData: {}, mergeGlobalData: {} })]),
    );
    expect(error.code).toBe('account');
    expect(Object.values(statuses(error.status))).toEqual(to.map(() => 'failed'));
    expect(sends().length).toBeLessThanOrEqual(2);
  });
});
