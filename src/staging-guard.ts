import { asksGuard, EmailBackend, insistOnFilters } from './backend.ts';
import { currentEnvironment, type Environment } from './settings.ts';
import { readGuard, rulesOf, stagingFilter } from './staging-rules.ts';
import { processState } from './util/process-state.ts';
import { redirect } from './wrappers/redirect.ts';

/** Which rules a connection of another copy of this package is under already. */
const guarded = /* @__PURE__ */ processState('guarded connections', () => new WeakMap<EmailBackend, string>());

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
 * Refuses a connection that the guard could not reach while it is set, and puts one that another copy of this package made,
 * and which asks that copy, under it.
 *
 * @throws {ConfigurationError} `invalid-backend` for an object that cannot be guarded; as {@link checkGuard}.
 */
export function guard<B extends EmailBackend>(connection: B): B {
  if (stagingFilter() === null) return connection;
  if (connection instanceof EmailBackend) {
    insistOnFilters(connection);
    return connection;
  }
  if (asksGuard(connection)) return connection;
  const environment = currentEnvironment();
  const options = readGuard(environment);
  const rules = rulesOf(environment);
  if (options === null || guarded.get(connection) === rules) return connection;
  redirect(connection, options);
  guarded.set(connection, rules);
  return connection;
}
