import { copyError } from '../model/error-copies.ts';
import { ConfigurationError } from '../model/errors.ts';
import { requireExport } from '../options/load-export.ts';
import { quoted } from '../util/quotable.ts';
import { optionTableOf } from './registry.ts';
import type { Target } from './target.ts';

/**
 * The options, with a function in place of every text that stands for one.
 *
 * @throws {ConfigurationError} `load-failed`, or `invalid-option` for what exports no function; it names the option.
 */
export function withFunctions(
  { name, backend }: Pick<Target, 'name' | 'backend'>,
  options: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const loaded = { ...options };
  for (const [option, spec] of Object.entries(optionTableOf(backend))) {
    const given = options[option];
    if (spec.type !== 'custom' || spec.isFunction !== true || typeof given !== 'string') continue;
    try {
      loaded[option] = loadFunction(given);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      throw copyError(error, { message: `${name ?? backend.name}: ${option}: ${error.message}`, option });
    }
  }
  return loaded;
}

function loadFunction(specifier: string): unknown {
  const found = requireExport('function', specifier, process.cwd());
  if (typeof found === 'function') return found;
  throw new ConfigurationError('invalid-option', `the export ${quoted(specifier)} is not a function`);
}
