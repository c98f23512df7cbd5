/** A value that JSON can hold, deeply readonly. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

const MAX_DEPTH = 64;

/**
 * A deeply frozen copy of `value` as JSON would carry it (`toJSON` honoured, undefined members left out).
 *
 * What JSON cannot carry is reported with its path (`.items[2]`) and becomes null.
 */
export function copyJson(
  value: unknown,
  fail: (path: string, message: string) => void,
  path = '',
  depth = 0,
): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (depth > MAX_DEPTH) {
    fail(path, `is nested deeper than ${MAX_DEPTH} levels, or contains itself`);
    return null;
  }
  if (Array.isArray(value)) {
    return Object.freeze(value.map((entry, index) => copyJson(entry, fail, `${path}[${index}]`, depth + 1)));
  }
  if (typeof value === 'object') {
    if ('toJSON' in value && typeof value.toJSON === 'function') return copyJson(value.toJSON(), fail, path, depth + 1);
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    return Object.freeze(
      Object.fromEntries(entries.map(([key, entry]) => [key, copyJson(entry, fail, `${path}.${key}`, depth + 1)])),
    );
  }
  fail(path, `must be text, a number, true, false, null, a list or an object, got ${String(value)} (${typeof value})`);
  return null;
}
