/** Changed whenever anything that `processState` holds changes its shape: copies with another number keep apart. */
const SHAPE = 1;
const KEY = Symbol.for('amsdal-mail');

interface ProcessRecord {
  readonly shape: number;
  readonly parts: Map<string, unknown>;
}

let record: ProcessRecord | null = null;

/**
 * What all copies of this package in a process share under a name, made by the first that asks: a program may load it as ES
 * modules and as CommonJS, or in two versions, and has one default connection all the same.
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
