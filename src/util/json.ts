import { copyList } from './list.ts';

/** A value that JSON can hold, deeply readonly. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

const MAX_DEPTH = 64;

/**
 * A deeply frozen copy of `value` as JSON would carry it (`toJSON` is called, undefined members are left out).
 *
 * Anything that JSON cannot carry is reported with its path (`.items[2]`) and becomes null.
 */
export function copyJson(
  value: unknown,
  fail: (path: string, message: string) => void,
  path = '',
  depth = 0,
): JsonValue {
  if (isScalar(value)) return value;
  if (depth > MAX_DEPTH) {
    fail(path, `is nested deeper than ${MAX_DEPTH} levels, or contains itself`);
    return null;
  }
  if (Array.isArray(value)) {
    return Object.freeze(copyList(value).map((entry, index) => copyJson(entry, fail, `${path}[${index}]`, depth + 1)));
  }
  if (typeof value === 'object') {
    const source = value as Readonly<Record<string, unknown>>; // an object has members under strings
    const { toJSON } = source;
    if (typeof toJSON === 'function') return copyJson(toJSON.call(value), fail, path, depth + 1);
    const copy: Record<string, JsonValue> = {};
    for (const key of Object.keys(source)) {
      const entry = key === 'toJSON' ? toJSON : source[key];
      if (entry === undefined) continue;
      const member = isScalar(entry) ? entry : copyJson(entry, fail, `${path}.${key}`, depth + 1);
      // Assignment would change the prototype.
      if (key === '__proto__') Object.defineProperty(copy, key, { value: member, enumerable: true });
      else copy[key] = member;
    }
    return Object.freeze(copy);
  }
  fail(path, `must be text, a number, true, false, null, a list or an object, got ${String(value)} (${typeof value})`);
  return null;
}

/** Whether a value is an object, and not a list or null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object that a text is in JSON; null when it is anything else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return (
    typeof value === 'string' ||
    (typeof value === 'number' && Number.isFinite(value)) ||
    typeof value === 'boolean' ||
    value === null
  );
}
