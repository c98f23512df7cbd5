import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SesBackend } from '../../../src/backends/ses.ts';
import { addresses, errorOf, mail } from './connect.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const throttle = () =>
  Object.assign(new Error('Maximum sending rate exceeded.'), {
    name: 'TooManyRequestsException',
    $metadata: { httpStatusCode: 429 },
  });

/** SES on the fake clock, 10 ms away, which answers mails as a test says. */
class Service {
  readonly sends: number[] = [];
  readonly #start = performance.now();
  readonly #answer: (count: number) => unknown;

  constructor(answer: (count: number) => unknown) {
    this.#answer = answer;
  }

  async send(command: object): Promise<unknown> {
    if (command.constructor.name === 'GetAccountCommand') return { SendQuota: { MaxSendRate: 100 } };
    await new Promise((resolve) => setTimeout(resolve, 10));
    this.sends.push(performance.now() - this.#start);
    return this.#answer(this.sends.length);
  }
}

const throwing = (error: () => Error) => () => {
  throw error();
};

describe('what is throttled', () => {
  test('is held back for a minute, and told to be retryable then', async () => {
    const service = new Service(throwing(throttle));
    const connection = await new SesBackend({ client: service }).open();
    const start = performance.now();
    const failed = errorOf(connection.sendMessages([mail()])).then((error) => ({ error, end: performance.now() }));
    await vi.runAllTimersAsync();
    const { error, end } = await failed;
    expect(error).toMatchObject({ name: 'SendError', code: 'throttled', outcome: 'not-sent', retryable: true });
    expect((end - start) / 1_000).toBeGreaterThan(59);
    expect((end - start) / 1_000).toBeLessThan(62);
    expect(service.sends.length).toBeGreaterThan(4);
  });

  test('is sent when the account lets go, though one try is all it has', async () => {
    const service = new Service((count) => {
      if (count < 6) throw throttle();
      return { MessageId: 'id' };
    });
    const connection = await new SesBackend({ client: service }).open();
    const sending = connection.sendMessages([mail()]);
    await vi.runAllTimersAsync();
    expect((await sending).isSuccess).toBe(true);
    expect(service.sends).toHaveLength(6);
  });

  test('is held back entry by entry in bulk', async () => {
    const one = addresses(1);
    const answers = (status: string) => ({ BulkEmailEntryResults: [{ Status: status, MessageId: 'id' }] });
    const service = new Service((count) => answers(count < 4 ? 'ACCOUNT_THROTTLED' : 'SUCCESS'));
    const connection = await new SesBackend({ client: service }).open();
    const sending = connection.sendMessages([mail({ to: one, mergeData: { [String(one[0])]: {} } })]);
    await vi.runAllTimersAsync();
    expect((await sending).isSuccess).toBe(true);
    const never = new Service(() => answers('ACCOUNT_THROTTLED'));
    const other = await new SesBackend({ client: never }).open();
    const failed = errorOf(other.sendMessages([mail({ to: one, mergeData: { [String(one[0])]: {} } })]));
    await vi.runAllTimersAsync();
    expect(await failed).toMatchObject({ code: 'throttled', outcome: 'not-sent', retryable: true });
    expect(never.sends.at(-1)).toBeGreaterThan(30_000);
    expect(never.sends.at(-1)).toBeLessThan(90_000);
  });
});

test('an SES that cannot be reached has failed at once: nothing is tried again unless asked for', async () => {
  const refused = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
  const service = new Service(throwing(refused));
  const connection = await new SesBackend({ client: service }).open();
  const failed = errorOf(connection.sendMessages([mail()]));
  await vi.runAllTimersAsync();
  expect(await failed).toMatchObject({ name: 'EmailConnectionError', code: 'refused', outcome: 'not-sent' });
  expect(service.sends).toEqual([10]);
});

test('a clock that the SDK has corrected costs no try, once', async () => {
  const skewed = () =>
    Object.assign(new Error('Signature expired'), {
      name: 'InvalidSignatureException',
      $metadata: { httpStatusCode: 403, clockSkewCorrected: true },
    });
  const service = new Service((count) => {
    if (count === 1) throw skewed();
    return { MessageId: 'id' };
  });
  const connection = await new SesBackend({ client: service }).open();
  const sending = connection.sendMessages([mail()]);
  await vi.runAllTimersAsync();
  expect((await sending).isSuccess).toBe(true);
  const wrong = new Service(throwing(skewed));
  const failed = errorOf((await new SesBackend({ client: wrong }).open()).sendMessages([mail()]));
  await vi.runAllTimersAsync();
  expect(await failed).toMatchObject({ code: 'auth' });
  expect(wrong.sends).toHaveLength(2);
});
