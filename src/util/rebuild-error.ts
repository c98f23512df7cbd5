const HIDDEN: ReadonlySet<string> = new Set(['message', 'stack', 'cause']);

/** Everything an error says of itself, its message, stack and cause included. */
export function factsOf(error: Error): Record<string, unknown> {
  return Object.fromEntries(Object.getOwnPropertyNames(error).map((name) => [name, Reflect.get(error, name)]));
}

/** An error from what another one said: a real Error of the class that `prototype` belongs to, without its constructor. */
export function rebuildError<E extends Error>(prototype: E, facts: Readonly<Record<string, unknown>>): E {
  const error: Error = new Error();
  Object.setPrototypeOf(error, prototype);
  for (const [name, value] of Object.entries(facts)) {
    Object.defineProperty(error, name, { value, enumerable: !HIDDEN.has(name), writable: true, configurable: true });
  }
  return error as E; // it has the prototype now
}
