import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SesBackend } from '../../../src/backends/ses.ts';
import { mail } from './connect.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the rate is asked for', () => {
  /** SES on the fake clock, which answers questions for the account as it is told. */
  class Service {
    questions = 0;
    answer: () => Promise<unknown> = async () => ({ SendQuota: { MaxSendRate: 10_000 } });

    async send(command: object): Promise<unknown> {
      if (command.constructor.name !== 'GetAccountCommand') return { MessageId: 'id' };
      this.questions++;
      return this.answer();
    }
  }

  const refusal = (name: string, httpStatusCode: number) => () =>
    Promise.reject(Object.assign(new Error('no'), { name, $metadata: { httpStatusCode } }));
  const send = async (connection: SesBackend, signal?: AbortSignal) => {
    const sending = connection.sendMessages([mail()], signal && { signal }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1);
    return sending;
  };

  test('for all, whoever gives up waiting for it', async () => {
    const service = new Service();
    const connection = await new SesBackend({ client: service }).open();
    service.answer = () => new Promise((resolve) => setTimeout(resolve, 1_000, { SendQuota: { MaxSendRate: 10_000 } }));
    await send(connection); // the first mail does not ask
    const controller = new AbortController();
    const sending = send(connection, controller.signal);
    controller.abort();
    expect(await sending).toMatchObject({ code: 'aborted' });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connection.stats().quota).toMatchObject({ maxSendRate: 10_000 });
    await send(connection);
    expect(service.questions).toBe(1);
  });

  test.each([
    ['a failure', refusal('InternalFailure', 500)],
    ['throttling', refusal('TooManyRequestsException', 429)],
    ['keys that have expired', refusal('ExpiredTokenException', 403)],
  ])('again later after %s', async (_, answer) => {
    const service = new Service();
    const connection = await new SesBackend({ client: service }).open();
    const good = service.answer;
    service.answer = answer;
    for (let index = 0; index < 5; index++) await send(connection);
    expect(service.questions).toBe(1);
    expect(connection.stats().quota).toBeNull();
    service.answer = good;
    await vi.advanceTimersByTimeAsync(30_000);
    for (let index = 0; index < 5; index++) await send(connection);
    expect(service.questions).toBe(2);
    expect(connection.stats().quota).toMatchObject({ maxSendRate: 10_000 });
  });

  test('once without the permission to ask', async () => {
    const service = new Service();
    const connection = await new SesBackend({ client: service }).open();
    service.answer = refusal('AccessDeniedException', 403);
    for (let index = 0; index < 5; index++) {
      await send(connection);
      await vi.advanceTimersByTimeAsync(30_000);
    }
    expect(service.questions).toBe(1);
  });
});
