import type { EmailBackend } from './backend.ts';
import type { Environment } from './environment.ts';
import { ConfigurationError } from './errors.ts';
import { blameVariable } from './settings.ts';
import { redirect } from './wrappers/redirect.ts';
import { type RedirectOptions, readRules } from './wrappers/redirect-rules.ts';

const REDIRECT_TO = 'AMSDAL_EMAIL_REDIRECT_TO';
const ALLOW = 'AMSDAL_EMAIL_ALLOW';

/** Which rules a connection is under already. */
const guarded = new WeakMap<EmailBackend, string>();

/**
 * Puts a connection under the staging guard when AMSDAL_EMAIL_REDIRECT_TO or AMSDAL_EMAIL_ALLOW is there.
 *
 * @throws {ConfigurationError} for a variable that is there and says nothing, or nothing readable: mail must not go out because of
 *   a slip of the pen.
 */
export function guard<B extends EmailBackend>(connection: B, environment: Environment): B {
  const target = environment[REDIRECT_TO];
  const allow = environment[ALLOW];
  if (target === undefined && allow === undefined) return connection;
  const rules = `${target}\n${allow}`;
  if (guarded.get(connection) === rules) return connection;
  const options: RedirectOptions = { ...read(REDIRECT_TO, target, toTarget), ...read(ALLOW, allow, toList) };
  redirect(connection, options);
  guarded.set(connection, rules);
  return connection;
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
