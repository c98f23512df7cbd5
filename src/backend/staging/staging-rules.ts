import { ConfigurationError } from '../../model/errors.ts';
import { blameVariable, currentEnvironment, type Environment } from '../../options/environment.ts';
import type { DeliveryFilter } from '../filter.ts';
import { redirectFilter } from './redirect-filter.ts';
import { type RedirectOptions, readRules } from './redirect-rules.ts';

const REDIRECT_TO = 'AMSDAL_EMAIL_REDIRECT_TO';
const ALLOW = 'AMSDAL_EMAIL_ALLOW';

let known: { readonly rules: string; readonly filter: DeliveryFilter | null } = { rules: '', filter: null };

/**
 * The staging guard as the environment sets it now, or null. Every backend asks for it at every call.
 *
 * @throws {ConfigurationError} as {@link readGuard}.
 */
export function stagingFilter(): DeliveryFilter | null {
  const environment = currentEnvironment();
  const rules = rulesOf(environment);
  if (rules !== known.rules) {
    const options = readGuard(environment);
    known = { rules, filter: options === null ? null : redirectFilter(options) };
  }
  return known.filter;
}

/** The values of the guard's variables as one string to compare; '' without any. */
export function rulesOf(environment: Environment): string {
  const target = environment[REDIRECT_TO];
  const allow = environment[ALLOW];
  return target === undefined && allow === undefined ? '' : JSON.stringify([target ?? null, allow ?? null]);
}

/**
 * The options that the guard's variables set; null without any.
 *
 * @throws {ConfigurationError} `invalid-option`, naming the variable that is empty or cannot be read.
 */
export function readGuard(environment: Environment): RedirectOptions | null {
  const target = environment[REDIRECT_TO];
  const allow = environment[ALLOW];
  if (target === undefined && allow === undefined) return null;
  return { ...read(REDIRECT_TO, target, toTarget), ...read(ALLOW, allow, toList) };
}

function toTarget(text: string): RedirectOptions {
  return { to: text };
}

function toList(text: string): RedirectOptions {
  return { allow: text.split(',').map((entry) => entry.trim()) };
}

/** One variable's part of the rules, checked by itself so that an error names the right variable. */
function read(variable: string, text: string | undefined, parse: (text: string) => RedirectOptions): RedirectOptions {
  if (text === undefined) return {};
  try {
    if (text.trim() === '') {
      const problem = 'it is empty, which could mean everything or nothing: fill it or unset it';
      throw new ConfigurationError('invalid-option', problem);
    }
    const options = parse(text.trim());
    readRules(options);
    return options;
  } catch (error) {
    throw blameVariable(error, variable);
  }
}
