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

describe('a call that ends while SES throttles the account says so', () => {
  const bulk = mail({ mergeData: { 'jane@example.org': {} } });
  const held = { BulkEmailEntryResults: [{ Status: 'ACCOUNT_THROTTLED' }] };

  test.each([
    ['a mail', mail(), throwing(throttle), 'SES throttles the account: Maximum sending rate exceeded.'],
    ['a bulk mail', bulk, throwing(throttle), 'SES throttles the account: Maximum sending rate exceeded.'],
    ['entries of a bulk mail', bulk, () => held, 'SES refused the mail: ACCOUNT_THROTTLED'],
  ])('%s', async (_, message, answer, reason) => {
    const facts = { name: 'SendError', outcome: 'not-sent', retryable: true };
    const late = await new SesBackend({ client: new Service(answer), deadlineMs: 5_000 }).open();
    const past = errorOf(late.sendMessages([message]));
    await vi.runAllTimersAsync();
    const text = `the call was past its deadline before SES took this mail: ${reason}`;
    expect(await past).toMatchObject({ ...facts, code: 'timeout', message: text });

    const connection = await new SesBackend({ client: new Service(answer) }).open();
    const controller = new AbortController();
    const aborted = errorOf(connection.sendMessages([message], { signal: controller.signal }));
    await vi.advanceTimersByTimeAsync(5_000);
    controller.abort();
    await vi.runAllTimersAsync();
    const other = `the call was aborted before SES took this mail: ${reason}`;
    expect(await aborted).toMatchObject({ ...facts, code: 'aborted', message: other });
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
