/** Whether it is an error of any realm: a test runner's modules have a different `Error` from Node itself. */
export function isError(value: unknown): value is Error {
  if (value instanceof Error) return true;
  // Not every runtime has getBuiltinModule.
  return globalThis.process?.getBuiltinModule?.('node:util').types.isNativeError(value) ?? false;
}

/** The text of a thrown value: an error's message, or the value as a string. */
export function reasonOf(thrown: unknown): string {
  if (isError(thrown)) return thrown.message;
  try {
    return String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown); // an object without toString
  }
}
