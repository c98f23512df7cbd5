/** The longest key, in characters; providers take at least that many. */
export const MAX_KEY = 256;

const KEY = new RegExp(`^[!-~]{1,${MAX_KEY}}$`);

/** Whether a text can be an idempotency key: it goes into a header of HTTP as it is. */
export function isIdempotencyKey(text: string): boolean {
  return KEY.test(text);
}

/** The key of one mail of several that share one; of a recipient's own mail the second is the address. */
export function deriveKey(key: string, part: string): string {
  const derived = `${key}:${part}`;
  return isIdempotencyKey(derived) ? derived : sha256(derived);
}

/** In hexadecimal digits. */
export function sha256(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}
