import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { packResults, unpackResults } from '../../src/backend/blocking/codec.ts';
import type { DeliveryResult, Job } from '../../src/backend/job.ts';
import { failedDelivery } from '../../src/backend/job.ts';
import { EmailError, SendError } from '../../src/model/errors.ts';
import { draft, ProbeBackend } from '../probe-backend.ts';

// Errors that backends of the program's own throw.

const TAG = Symbol('tag');

class QuotaError extends SendError {
  readonly account: string;
  readonly [TAG] = 'tagged';
  readonly #until: number;

  constructor(account: string) {
    super('quota', `${account} has sent enough`, { retryable: true });
    this.account = account;
    this.#until = 17;
  }

  get until(): number {
    return this.#until;
  }
}

const throwing = (error: unknown) =>
  // biome-ignore lint/correctness/useYield: it fails before there is anything to give
  async function* (jobs: AsyncIterable<Job>): AsyncGenerator<DeliveryResult> {
    for await (const _ of jobs) throw error;
  };
const answering = (error: EmailError) =>
  async function* (jobs: AsyncIterable<Job>): AsyncGenerator<DeliveryResult> {
    for await (const job of jobs) yield failedDelivery(job, error);
  };
const thrownBy = (backend: ProbeBackend, to: string): Promise<unknown> =>
  backend.sendMessages([draft('s', { to })]).catch((error: unknown) => error);

describe('an error of a class of the program', () => {
  test.each([
    ['thrown', throwing],
    ['as an answer', answering],
  ])('%s, is thrown as it is, with the status', async (_, deliver) => {
    const error = new QuotaError('shop');
    expect(await thrownBy(new ProbeBackend(deliver(error)), 'a@example.org')).toBe(error);
    expect(error).toMatchObject({ account: 'shop', until: 17, [TAG]: 'tagged', retryable: true });
    expect([...(error.status?.recipients.keys() ?? [])]).toEqual(['a@example.org']);
  });

  test('that is thrown by two calls has in each the status of that call', async () => {
    const backend = new ProbeBackend(throwing(new QuotaError('shop')));
    const errors = [await thrownBy(backend, 'a@example.org'), await thrownBy(backend, 'b@example.org')];
    const statuses = errors.map((error) => error instanceof QuotaError && [...(error.status?.recipients.keys() ?? [])]);
    expect(statuses).toEqual([['a@example.org'], ['b@example.org']]);
  });

  test('that is frozen has the status in a copy', async () => {
    const error = Object.freeze(new QuotaError('shop'));
    const thrown = await thrownBy(new ProbeBackend(throwing(error)), 'a@example.org');
    expect(thrown).toBeInstanceOf(QuotaError);
    expect(thrown).toMatchObject({ account: 'shop', status: { isSuccess: false } });
  });

  test('is an error of the class that it extends on the other side of a blocking call', () => {
    const result: DeliveryResult = { index: 0, messageId: null, recipients: new Map(), error: new QuotaError('shop') };
    const [crossed] = unpackResults(structuredClone(packResults([result])));
    expect(crossed?.error).toBeInstanceOf(SendError);
    expect(crossed?.error).toMatchObject({ code: 'quota', account: 'shop', retryable: true });
  });
});

test('an answer with an error of another kind is a failure with a status all the same', async () => {
  // A backend in JavaScript may answer with any error.
  const other = new AggregateError([new Error('one')], 'both failed') as unknown as EmailError;
  const thrown = await thrownBy(new ProbeBackend(answering(other)), 'a@example.org');
  expect(thrown).toMatchObject({ code: 'uncertain', outcome: 'unknown', cause: other, status: { isSuccess: false } });
});

test('what merely has the prototype of an error can be shown', () => {
  expect(inspect(Object.create(EmailError.prototype))).toContain('EmailError');
});
