import { type ErrorFacts, factsOf, setFacts } from '../error-facts.ts';
import { EmailError } from '../errors.ts';
import { isBranded } from './brand.ts';

const HIDDEN: ReadonlySet<string> = new Set(['message', 'stack', 'cause']);

/** The properties that are an error's own, its message, stack and cause included. */
export function ownProperties(error: Error): Record<string, unknown> {
  return Object.fromEntries(Object.getOwnPropertyNames(error).map((name) => [name, Reflect.get(error, name)]));
}

/** A real Error of the class that `prototype` belongs to, whose constructor may want what nobody has any more: it is not called. */
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
 * The same error with other facts or another text: a copy, as it may be shared with other calls.
 *
 * No copy has the private fields of a class of the program's own: such an error gets a status or a text itself, and is copied
 * only where it has another call's status already, where its outcome changes, or where it cannot be changed.
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
  // Reading a stack is what makes it, at some expense: the copy gets one of its own.
  const names = Object.getOwnPropertyNames(error).filter((name) => name !== 'stack');
  const own = Object.fromEntries(names.map((name) => [name, Reflect.get(error, name)]));
  const prototype: E = Object.getPrototypeOf(error);
  return withStack(rebuildError(prototype, { ...own, message }, { ...factsOf(error), ...changes }), copyError);
}

/**
 * What is thrown to a caller: an error of ours as a copy whose stack begins in the function that throws it, rather than where in
 * the library it arose. After an await, and in what `.catch` calls, the stack goes on with the async functions that await the
 * promise which this rejects: the user's line is in it. One of a class of the program's own is thrown as it is.
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
