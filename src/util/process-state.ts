/** Must change whenever anything in `processState` changes its shape: copies with different numbers share nothing. */
const SHAPE = 1;
const KEY = Symbol.for('amsdal-mail');

interface ProcessRecord {
  readonly shape: number;
  readonly parts: Map<string, unknown>;
}

let record: ProcessRecord | null = null;

/**
 * State that all copies of this package in a process share under a name, created by the first: a program may load the package as
 * ES modules and as CommonJS, or in two versions, and still has one default connection.
 */
export function processState<T>(name: string, make: () => T): T {
  record ??= findRecord();
  const { parts } = record;
  if (!parts.has(name)) parts.set(name, make());
  return parts.get(name) as T; // a name has one type in every copy with this SHAPE
}

function findRecord(): ProcessRecord {
  const found: ProcessRecord | undefined = Reflect.get(globalThis, KEY);
  if (found?.shape === SHAPE) return found;
  const own: ProcessRecord = { shape: SHAPE, parts: new Map() };
  if (found === undefined) {
    Object.defineProperty(globalThis, KEY, { value: own });
  } else {
    process.emitWarning(
      'two versions of amsdal-mail are loaded, each with connections, backends and listeners of its own: install one (npm ls amsdal-mail shows who brings them)',
      { type: 'AmsdalMailWarning', code: 'AMSDAL_MAIL_COPIES' },
    );
  }
  return own;
}
