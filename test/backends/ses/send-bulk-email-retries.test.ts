import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SesBackend } from '../../../src/backends/ses.ts';
import { addresses, errorOf, mail, statuses } from './connect.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface BulkInput {
  readonly BulkEmailEntries: readonly { readonly Destination: { readonly ToAddresses: readonly string[] } }[];
}

describe('entries that failed for the moment', () => {
  /** SES on the fake clock: of the entries, one always fails for the moment. */
  class Service {
    readonly requests: (readonly [at: number, to: string])[] = [];
    readonly start = performance.now();

    async send(command: object): Promise<unknown> {
      if (command.constructor.name === 'GetAccountCommand') return { SendQuota: { MaxSendRate: 10_000 } };
      await new Promise((resolve) => setTimeout(resolve, 10));
      const { input } = command as { readonly input: BulkInput };
      const to = input.BulkEmailEntries.flatMap(({ Destination }) => Destination.ToAddresses);
      this.requests.push([performance.now() - this.start, `${to[0]} ${to.length}`]);
      const results = to.map((address) =>
        address === 'user0@example.org'
          ? { Status: 'TRANSIENT_FAILURE' }
          : { Status: 'SUCCESS', MessageId: `id of ${address}` },
      );
      return { BulkEmailEntryResults: results };
    }
  }

  test('wait longer each time, and nobody waits for them', async () => {
    const service = new Service();
    const retry = { attempts: 5, baseMs: 1_000, maxMs: 3_000 };
    const connection = await new SesBackend({ client: service, maxConnections: 1, retry }).open();
    const to = addresses(150);
    const sending = connection.sendMessages([mail({ to, mergeData: {}, mergeGlobalData: {} })]);
    await vi.runAllTimersAsync();
    const status = await sending;
    expect(status.getSuccessfulRecipients()).toHaveLength(149);
    expect(status.recipients.get('user0@example.org')).toMatchObject({ status: 'failed', code: 'temporary' });
    const again = 'user0@example.org 1';
    const made = service.requests.map(([, what]) => what);
    expect(made).toEqual([
      'user0@example.org 50',
      'user50@example.org 50',
      'user100@example.org 50',
      ...Array(4).fill(again),
    ]);
    const times = service.requests.filter(([, what]) => what.startsWith('user0@')).map(([at]) => at);
    const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0) - 10);
    for (const [index, most] of [1_000, 2_000, 3_000, 3_000].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(most / 2);
      expect(waits[index]).toBeLessThanOrEqual(most + 20);
    }
  });

  test('wait no longer when the call is aborted', async () => {
    const service = new Service();
    const connection = await new SesBackend({
      client: service,
      retry: { attempts: 2, baseMs: 600_000, maxMs: 600_000 },
    }).open();
    const controller = new AbortController();
    const message = mail({ to: addresses(3), mergeData: {}, mergeGlobalData: {} });
    const sending = connection.sendMessages([message], { signal: controller.signal });
    await vi.advanceTimersByTimeAsync(1_000);
    controller.abort();
    const status = await sending;
    expect(status.recipients.get('user0@example.org')).toMatchObject({ status: 'failed', code: 'aborted' });
    expect(status.getSuccessfulRecipients()).toHaveLength(2);
    expect(service.requests).toHaveLength(1);
  });
});

test('what would meet every request ends the mail at once, however few may go at a time', async () => {
  let sends = 0;
  const send = async (command: object) => {
    if (command.constructor.name === 'GetAccountCommand') return { SendQuota: { MaxSendRate: 20 } };
    sends++;
    const $metadata = { httpStatusCode: 400 };
    throw Object.assign(new Error('no'), { name: 'AccountSuspendedException', $metadata });
  };
  const connection = await new SesBackend({ client: { send } }).open();
  const to = addresses(500);
  const start = performance.now();
  const failing = errorOf(connection.sendMessages([mail({ to, mergeData: {}, mergeGlobalData: {} })]));
  await vi.runAllTimersAsync();
  const { code, status } = await failing;
  expect(code).toBe('account');
  expect(new Set(Object.values(statuses(status)))).toEqual(new Set(['failed']));
  expect(status?.recipients.size).toBe(500);
  expect(sends).toBeLessThanOrEqual(2);
  expect(performance.now() - start).toBeLessThan(2_000);
});
