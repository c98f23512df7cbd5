import { brand } from '../util/brand.ts';
import { inspectError } from './error-inspection.ts';
import type { EmailError } from './errors.ts';

const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Makes a class one of this library's errors: its prototype gets the name, what `console.log` shows, and the brand. */
export function errorClass<T extends EmailError>(
  type: abstract new (...args: never[]) => T,
  name: string,
): (value: unknown) => boolean {
  type.prototype.name = name; // not on the instance, where it would show among the facts
  Object.defineProperty(type.prototype, INSPECT, { value: inspectError });
  return brand(type, name);
}
