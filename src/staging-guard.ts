import { EmailBackend } from './backend.ts';
import { type DeliveryFilter, setStandingFilter } from './delivery-filter.ts';
import type { Environment } from './environment.ts';
import { ConfigurationError } from './errors.ts';
import { blameVariable, currentEnvironment } from './settings.ts';
import { redirect, redirectFilter } from './wrappers/redirect.ts';
import { type RedirectOptions, readRules } from './wrappers/redirect-rules.ts';

const REDIRECT_TO = 'AMSDAL_EMAIL_REDIRECT_TO';
const ALLOW = 'AMSDAL_EMAIL_ALLOW';

/** Which rules a connection of another copy of this package is under already. */
const guarded = new WeakMap<EmailBackend, string>();

/** The filter for the variables as they were last read. */
let known: { readonly rules: string; readonly filter: DeliveryFilter | null } = { rules: '', filter: null };

setStandingFilter(() => {
  const environment = currentEnvironment();
  const rules = rulesOf(environment);
  if (rules !== known.rules) {
    const options = readGuard(environment);
    known = { rules, filter: options === null ? null : redirectFilter(options) };
  }
  return known.filter;
});

/**
 * Checks the variables of the staging guard before there is anything to send; the guard itself every backend asks for at every
 * call, so that no connection escapes it by being older or made in another way.
 *
 * @throws {ConfigurationError} for a variable that is there and says nothing, or nothing readable: mail must not go out because of
 *   a slip of the pen.
 */
export function checkGuard(environment: Environment): void {
  readGuard(environment);
}

/**
 * Puts a connection that another copy of this package made, and which asks that copy, under the guard.
 *
 * @throws {ConfigurationError} `invalid-backend` for an object that cannot be guarded; as {@link checkGuard}.
 */
export function guard<B extends EmailBackend>(connection: B): B {
  if (connection instanceof EmailBackend) return connection;
  const environment = currentEnvironment();
  const options = readGuard(environment);
  const rules = rulesOf(environment);
  if (options === null || guarded.get(connection) === rules) return connection;
  redirect(connection, options);
  guarded.set(connection, rules);
  return connection;
}

/** What the guard's variables say, as one text to compare; '' without any. */
export function rulesOf(environment: Environment): string {
  const target = environment[REDIRECT_TO];
  const allow = environment[ALLOW];
  return target === undefined && allow === undefined ? '' : JSON.stringify([target ?? null, allow ?? null]);
}

function readGuard(environment: Environment): RedirectOptions | null {
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

/** One variable's part of the rules, checked by itself, so that the right one is blamed. */
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
