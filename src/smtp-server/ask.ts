import { reasonOf } from '../util/reason.ts';
import type { Awaitable } from './hooks.ts';

/**
 * Asks a hook and goes on with its answer, in the same turn when it answers at once.
 *
 * A hook that throws answers `451 4.3.0` with the error's message.
 *
 * @param wait is told of an answer that comes later, and is given what to do then
 */
export function ask<T>(
  hook: () => Awaitable<T>,
  next: (answer: T | string) => void,
  wait: (resume: Promise<() => void>) => void,
): void {
  let answer: Awaitable<T> | string;
  try {
    answer = hook();
  } catch (error) {
    answer = describe(error);
  }
  if (!isPromiseLike(answer)) next(answer);
  else
    wait(
      Promise.resolve(answer).then(
        (value) => () => next(value),
        (error: unknown) => () => next(describe(error)),
      ),
    );
}

function isPromiseLike<T>(value: Awaitable<T> | string): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

function describe(error: unknown): string {
  const text = reasonOf(error);
  return `451 4.3.0 The receiver's hook failed: ${text.replace(/\s+/g, ' ')}`;
}
