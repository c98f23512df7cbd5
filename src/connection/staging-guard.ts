import { asksGuard, EmailBackend, insistOnFilters } from '../backend/backend.ts';
import { readGuard, rulesOf, stagingFilter } from '../backend/staging/staging-rules.ts';
import { currentEnvironment, type Environment } from '../options/environment.ts';
import { processState } from '../util/process-state.ts';
import { redirect } from '../wrappers/redirect.ts';

/** The rules that a connection of another copy of this package already follows. */
const guarded = /* @__PURE__ */ processState('guarded connections', () => new WeakMap<EmailBackend, string>());

/**
 * Checks the variables of the staging guard early. Every backend asks for the guard itself at every call, so no connection
 * escapes it by being older or made in another way.
 *
 * @throws {ConfigurationError} for a variable that is set but empty or unreadable: a typo must not let mail out.
 */
export function checkGuard(environment: Environment): void {
  readGuard(environment);
}

/**
 * While the guard is set, refuses a connection that it cannot cover, and redirects one made by another copy of this package,
 * which would ask that copy.
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
