import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SesBackend } from '../../../src/backends/ses.ts';
import { addresses, mail } from './connect.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('requests at once', () => {
  /** SES on the fake clock: `latency` away; it answers as long as it is not told to hang. */
  class Service {
    latency = 100;
    hangs = false;
    underWay = 0;
    most = 0;
    readonly sent: number[] = [];
    readonly #rate: number;

    constructor(rate: number) {
      this.#rate = rate;
    }

    async send(command: object, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown> {
      if (command.constructor.name === 'GetAccountCommand') return { SendQuota: { MaxSendRate: this.#rate } };
      this.underWay++;
      this.most = Math.max(this.most, this.underWay);
      await new Promise((resolve, reject) => {
        if (!this.hangs) setTimeout(resolve, this.latency);
        options?.abortSignal?.addEventListener('abort', () => reject(new Error('aborted')));
      });
      this.underWay--;
      this.sent.push(performance.now());
      return { MessageId: String(this.sent.length) };
    }
  }

  const mails = (count: number) => addresses(count).map((to) => mail({ to }));

  test.each([
    { rate: 14, latency: 100, most: 14 },
    { rate: 200, latency: 20, most: 50 },
    { rate: 100, latency: 400, most: 50 },
  ])('$rate a second, $latency ms away: the rate is kept', async ({ rate, latency, most }) => {
    const service = new Service(rate);
    service.latency = latency;
    const connection = await new SesBackend({ client: service }).open();
    const start = performance.now();
    const sending = connection.sendMessages(mails(rate * 20));
    await vi.runAllTimersAsync();
    expect((await sending).isSuccess).toBe(true);
    const perSecond = service.sent.length / ((Math.max(...service.sent) - start) / 1_000);
    expect(perSecond / rate).toBeGreaterThan(0.95);
    expect(perSecond / rate).toBeLessThan(1.05);
    expect(service.most).toBeLessThanOrEqual(most);
  });

  test('a service that gets slower is given more at once, up to maxConnections, and the rate is kept', async () => {
    const service = new Service(20);
    const connection = await new SesBackend({ client: service, maxConnections: 30 }).open();
    const sending = connection.sendMessages(mails(1_200));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(service.most).toBeLessThan(10);
    service.latency = 1_000;
    await vi.runAllTimersAsync();
    expect((await sending).isSuccess).toBe(true);
    const [after = 0] = service.sent.slice(-600);
    expect(600 / ((Math.max(...service.sent) - after) / 1_000)).toBeGreaterThan(19);
    expect(service.most).toBeLessThanOrEqual(30);
  });

  test('a service that hangs leaves few mails in doubt', async () => {
    const service = new Service(14);
    const connection = await new SesBackend({ client: service }).open();
    const sending = connection.sendMessages(mails(200)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    const before = service.underWay;
    service.hangs = true;
    await vi.advanceTimersByTimeAsync(50_000); // before the first one's time is up
    expect(service.underWay).toBeGreaterThan(before);
    expect(service.underWay).toBeLessThan(10); // of the 50 that maxConnections allows
    service.hangs = false;
    await vi.runAllTimersAsync();
    const status = (await sending) as Awaited<ReturnType<typeof connection.sendMessages>>;
    const unknown = [...status.recipients.values()].filter((recipient) => recipient.status === 'unknown');
    expect(unknown.length).toBeLessThan(10);
    expect(status.getSuccessfulRecipients()).toHaveLength(200 - unknown.length);
  });
});

describe('an account of 100 recipients a second', () => {
  /** SES on the fake clock: 40 ms away, throttling what goes over its rate. */
  class SlowAccount {
    readonly counts = new Map<string, number>();
    throttled = 0;
    #balance = 100;
    #since = performance.now();

    async send(command: object): Promise<unknown> {
      const { name } = command.constructor;
      if (name === 'GetAccountCommand')
        return { SendQuota: { MaxSendRate: 100, Max24HourSend: 50_000, SentLast24Hours: 0 } };
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { input } = command as {
        readonly input: {
          readonly BulkEmailEntries: readonly { readonly Destination: { readonly ToAddresses: readonly string[] } }[];
        };
      };
      const to = input.BulkEmailEntries.flatMap(({ Destination }) => Destination.ToAddresses);
      const now = performance.now();
      this.#balance = Math.min(100, this.#balance + (now - this.#since) / 10);
      this.#since = now;
      if (this.#balance <= 0) {
        this.throttled++;
        throw Object.assign(new Error('Maximum sending rate exceeded.'), {
          name: 'TooManyRequestsException',
          $metadata: { httpStatusCode: 429 },
        });
      }
      this.#balance -= to.length;
      for (const address of to) this.counts.set(address, (this.counts.get(address) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { BulkEmailEntryResults: to.map((address) => ({ Status: 'SUCCESS', MessageId: address })) };
    }
  }

  test('10,000 recipients with their own data: none failed, none twice, at 100 a second', async () => {
    const account = new SlowAccount();
    const connection = await new SesBackend({ client: account }).open(); // the SDK loads before the clock stands
    const to = addresses(10_000);
    const mergeData = Object.fromEntries(to.map((address, index) => [address, { index }]));
    const start = performance.now();
    const sending = connection
      .sendMessages([mail({ to, mergeData })])
      .then((status) => ({ status, end: performance.now() }));
    await vi.runAllTimersAsync();
    const { status, end } = await sending;
    expect(status.isSuccess).toBe(true);
    expect(status.recipients.size).toBe(10_000);
    expect(account.throttled).toBe(0);
    expect([...account.counts.values()].every((count) => count === 1)).toBe(true);
    expect(account.counts.size).toBe(10_000);
    const perSecond = 10_000 / ((end - start) / 1_000);
    expect(perSecond).toBeGreaterThan(95);
    expect(perSecond).toBeLessThan(105);
  });
});
