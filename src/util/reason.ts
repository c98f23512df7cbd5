/** Whether it is an error, of whatever realm: a test runner's modules have another `Error` than Node itself. */
export function isError(value: unknown): value is Error {
  if (value instanceof Error) return true;
  // Not every runtime has it.
  return globalThis.process?.getBuiltinModule?.('node:util').types.isNativeError(value) ?? false;
}

/** What something that was thrown says: an error's message, or the thing itself as text. */
export function reasonOf(thrown: unknown): string {
  if (isError(thrown)) return thrown.message;
  try {
    return String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown); // an object without toString
  }
}
