import { isBranded } from '../util/brand.ts';
import { type ErrorFacts, factsOf, setFacts } from './error-facts.ts';
import { EmailError } from './errors.ts';

const HIDDEN: ReadonlySet<string> = new Set(['message', 'stack', 'cause']);

/** An error's own properties, including message, stack and cause. */
export function ownProperties(error: Error): Record<string, unknown> {
  return Object.fromEntries(Object.getOwnPropertyNames(error).map((name) => [name, Reflect.get(error, name)]));
}

/** A real Error with the given prototype; the class's constructor, whose arguments are not known, is not called. */
export function rebuildError<E extends EmailError>(
  prototype: E,
  own: Readonly<Record<string, unknown>>,
  facts: ErrorFacts,
): E {
  const error: Error = new Error();
  Object.setPrototypeOf(error, prototype);
  for (const [name, value] of Object.entries(own)) {
    Object.defineProperty(error, name, { value, enumerable: !HIDDEN.has(name), writable: true, configurable: true });
  }
  const rebuilt = error as E; // it has the prototype now
  setFacts(rebuilt, facts);
  return rebuilt;
}

/**
 * The error with other facts or another text: a copy, as other calls may share it.
 *
 * A copy lacks the private fields of a user's subclass, so such an error is changed in place, and copied only if it already has
 * another call's status, if its outcome changes, or if it is frozen.
 */
export function copyError<E extends EmailError>(
  error: E,
  { message = error.message, ...changes }: Partial<ErrorFacts> & { readonly message?: string },
): E {
  if (!isCopied(error) && !changes.outcome && !(changes.status && factsOf(error).status)) {
    if (message !== error.message) Object.defineProperty(error, 'message', { value: message });
    setFacts(error, { ...factsOf(error), ...changes });
    return error;
  }
  // Reading a stack computes it, which is costly: the copy gets its own.
  const names = Object.getOwnPropertyNames(error).filter((name) => name !== 'stack');
  const own = Object.fromEntries(names.map((name) => [name, Reflect.get(error, name)]));
  const prototype: E = Object.getPrototypeOf(error);
  return withStack(rebuildError(prototype, { ...own, message }, { ...factsOf(error), ...changes }), copyError);
}

/**
 * The error to throw to a caller: one of this package as a copy whose stack begins in the function that throws it, not where it
 * arose in the library. After an await, and inside a `.catch` callback, the stack continues with the async functions that await
 * the rejected promise, so it includes the user's line. Errors of a user's subclass are thrown unchanged.
 */
export function thrownHere(error: unknown): unknown {
  return error instanceof EmailError && isCopied(error) ? withStack(copyError(error, {}), thrownHere) : error;
}

function isCopied(error: EmailError): boolean {
  return isBranded(Object.getPrototypeOf(error)) || !Object.isExtensible(error);
}

function withStack<E extends Error>(error: E, below: (...args: never[]) => unknown): E {
  Error.captureStackTrace?.(error, below);
  return error;
}
