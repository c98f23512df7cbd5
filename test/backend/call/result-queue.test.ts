import { describe, expect, test } from 'vitest';
import { ResultQueue } from '../../../src/backend/call/result-queue.ts';
import { SendError } from '../../../src/model/errors.ts';

/** What the next one who asks gets: a value, `done`, or the text of an error. */
async function ask(queue: ResultQueue<number>): Promise<unknown> {
  return queue.next().then(
    ({ done, value }) => (done === true ? 'done' : value),
    (error: unknown) => String(error),
  );
}

/** What as many as asked get, in their order. */
const askAll = (queue: ResultQueue<number>, times: number) =>
  Promise.all(Array.from({ length: times }, () => ask(queue)));

describe('results', () => {
  test('pushed before they are asked for, and after, come in their order', async () => {
    const queue = new ResultQueue<number>();
    queue.push(1);
    queue.push(2);
    expect(queue.size).toBe(2);
    const asked = askAll(queue, 4);
    queue.push(3);
    queue.push(4);
    expect(await asked).toEqual([1, 2, 3, 4]);
    expect(queue).toMatchObject({ size: 0, hasDemand: false });
  });

  test('their taker is told of, and not who only made them', async () => {
    const taken: number[] = [];
    const queue = new ResultQueue<number>((value) => taken.push(value));
    queue.push(1);
    queue.push(2);
    expect(taken).toEqual([]);
    await queue.next();
    expect(taken).toEqual([1]);
    queue.return();
    expect(taken).toEqual([1]);
  });
});

describe('the end', () => {
  test('comes after what is there, to everybody who waits and whoever asks later', async () => {
    const queue = new ResultQueue<number>();
    queue.push(1);
    const asked = askAll(queue, 3);
    queue.end();
    queue.push(2);
    expect(await asked).toEqual([1, 'done', 'done']);
    expect(await ask(queue)).toBe('done');
  });

  test('by a failure, which one of them gets, waiting or later', async () => {
    const failure = new SendError('source', 'no rows');
    const waiting = new ResultQueue<number>();
    const asked = askAll(waiting, 2);
    waiting.fail(failure);
    waiting.end();
    expect(await asked).toEqual(['SendError: no rows', 'done']);
    const later = new ResultQueue<number>();
    later.push(1);
    later.fail(failure);
    expect(await askAll(later, 3)).toEqual([1, 'SendError: no rows', 'done']);
  });

  test('by somebody who wants no more drops what is there, and the failure', async () => {
    const queue = new ResultQueue<number>();
    queue.push(1);
    queue.fail(new Error('never seen'));
    expect(queue.return()).toEqual({ done: true, value: undefined });
    expect(await ask(queue)).toBe('done');
  });

  test('a failure has the function in its stack that waits for the result', async () => {
    const queue = new ResultQueue<number>();
    async function readRow(): Promise<unknown> {
      return await queue.next();
    }
    const stack = readRow().catch((error: Error) => error.stack);
    queue.fail(new SendError('source', 'no rows'));
    expect(await stack).toMatch(/ at (?:async )?readRow /);
  });
});

test('who makes results waits until one is wanted', async () => {
  const queue = new ResultQueue<number>();
  const log: string[] = [];
  const wanted = [queue.demand(), queue.demand()].map((demand) => demand?.then(() => log.push('wanted')));
  queue.push(1);
  await ask(queue);
  expect(log).toEqual([]);
  const asked = ask(queue);
  await Promise.all(wanted);
  expect(log).toEqual(['wanted', 'wanted']);
  expect(queue.demand()).toBeNull();
  queue.push(2);
  expect(await asked).toBe(2);
});
