import type { EmailBackend } from '../backend/backend.ts';
import { ConfigurationError } from '../model/errors.ts';
import { processState } from '../util/process-state.ts';
import { quoted } from '../util/quotable.ts';
import type { BackendClass } from './registry.ts';

/** What a named connection is: a target of `getConnection`, one with options, or an existing connection. */
export type ConnectionDefinition =
  | string
  | BackendClass
  | EmailBackend
  | { readonly backend: string | BackendClass; readonly options?: object };

/** How to refer to a named connection. */
export type ConnectionName = `@${string}`;

const definitions = /* @__PURE__ */ processState('named connections', () => new Map<string, ConnectionDefinition>());

/**
 * Names connections for `getConnection('@name')` and `sendMail({connection: '@name'})`; they win over AMSDAL_EMAIL_NAME_URL.
 *
 * @returns The function that removes these names.
 * @throws {ConfigurationError} `invalid-option` when a name is malformed or taken.
 */
export function defineConnections(named: Readonly<Record<string, ConnectionDefinition>>): () => void {
  for (const name of Object.keys(named)) {
    const problem = NAME.test(name) ? (definitions.has(name) ? 'is taken' : null) : NAME_RULE;
    if (problem !== null)
      throw new ConfigurationError('invalid-option', `the connection name ${quoted(name)} ${problem}`);
  }
  for (const [name, definition] of Object.entries(named)) definitions.set(name, definition);
  return () => {
    for (const [name, definition] of Object.entries(named)) {
      if (definitions.get(name) === definition) definitions.delete(name);
    }
  };
}

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const NAME_RULE = 'is not lower-case letters, digits and hyphens';

/** The definition of a name, given in code. */
export function findDefinition(name: string): ConnectionDefinition | undefined {
  return definitions.get(name);
}

/** The names defined in code. */
export function definedNames(): readonly string[] {
  return [...definitions.keys()];
}

/** The name in `@name`; null for any other text, such as `@scope/package#Backend`. */
export function connectionNameOf(text: string): string | null {
  if (!text.startsWith('@') || /[/#]/.test(text)) return null;
  const name = text.slice(1);
  if (NAME.test(name)) return name;
  throw new ConfigurationError('invalid-option', `the connection name ${quoted(name)} ${NAME_RULE}`);
}
