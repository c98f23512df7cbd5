import { ConfigurationError } from '../model/errors.ts';
import { controlNameIn } from '../util/control-name.ts';
import { processState } from '../util/process-state.ts';

/** Variables by name, as in `process.env`; an empty one counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Valid values of the variables that no option table declares. */
export const EXAMPLES: Readonly<Record<string, string>> = {
  AMSDAL_EMAIL_BACKEND: 'smtp',
  AMSDAL_EMAIL_REDIRECT_TO: 'staging@example.com',
  AMSDAL_EMAIL_ALLOW: '@example.com,qa@example.org',
  AMSDAL_CONTRIBS: "'amsdal-mail/app#MailAppConfig'",
};
/** A valid value of a variable that holds a URL. */
export const URL_EXAMPLE: string = 'smtps://user:p%40ssword@smtp.example.com:465';
/** The name of a variable that holds the URL of a named connection. */
export const NAMED_URL: RegExp = /^AMSDAL_EMAIL_([A-Z][A-Z0-9_]*)_URL$/;

/** Where variables come from. */
export interface EnvironmentLayers {
  /** Replaces the process's own environment. */
  readonly env?: Environment | undefined;
  /** The variables of a `.env` file; those of `env` win, even empty ones. */
  readonly file?: Environment | undefined;
}

const current = /* @__PURE__ */ processState('environment', (): { layers: EnvironmentLayers } => ({ layers: {} }));

/**
 * The variables that configure this package; nothing else in it reads the process's environment.
 *
 * It is a view, not a copy: later changes are seen.
 */
export function currentEnvironment(): Environment {
  const { env = process.env, file } = current.layers;
  return file === undefined ? env : layerEnvironment(env, file);
}

/** A view of two environments in which `env` wins over `file`; later changes in either are seen. */
export function layerEnvironment(env: Environment, file: Environment): Environment {
  const lookup = (name: string | symbol): string | undefined =>
    typeof name === 'string' ? (env[name] ?? file[name]) : undefined;
  return new Proxy<Environment>(
    {},
    {
      get: (_, name) => lookup(name),
      has: (_, name) => lookup(name) !== undefined,
      ownKeys: () => [...new Set([...Object.keys(file), ...Object.keys(env)])],
      getOwnPropertyDescriptor: (_, name) => ({ value: lookup(name), enumerable: true, configurable: true }),
    },
  );
}

/** Whether NODE_ENV is `production`. */
export function isProduction(): boolean {
  return currentEnvironment()['NODE_ENV'] === 'production';
}

/** Whether a variable comes from the environment or from the file; null when it is not set. */
export function originOf(variable: string): 'environment' | 'file' | null {
  const { env = process.env, file } = current.layers;
  if (env[variable] !== undefined) return 'environment';
  return file?.[variable] === undefined ? null : 'file';
}

/** Sets where variables come from; returns the function that restores the previous layers. */
export function setEnvironment(next: EnvironmentLayers): () => void {
  const before = current.layers;
  current.layers = next;
  return () => {
    current.layers = before;
  };
}

/**
 * A variable's value, or null when it is not set or empty; white space around it, with which files often end, is removed unless
 * it is a secret.
 *
 * @throws {ConfigurationError} `invalid-option` for a control character, which no setting can hold.
 */
export function readVariable(
  environment: Environment,
  name: string,
  { isSecret = false, example = exampleOf(name) }: { readonly isSecret?: boolean; readonly example?: string } = {},
): string | null {
  const value = environment[name];
  const text = isSecret ? value : value?.trim();
  if (!text) return null;
  const control = controlNameIn(text);
  if (control === null) return text;
  const isAtEnd = controlNameIn(text.trimEnd()) === null;
  const problem = isAtEnd
    ? `ends with ${control}: remove it (echo writes one, printf %s does not)`
    : `has ${control} in it: remove it`;
  throw new ConfigurationError('invalid-option', `${name} ${problem}; for example ${name}=${example}`, {
    variable: name,
  });
}

/** The variable that holds the URL of a named connection. */
export function namedUrlVariable(name: string): string {
  return `AMSDAL_EMAIL_${name.toUpperCase().replaceAll('-', '_')}_URL`;
}

/** The names of the connections whose URL the environment holds. */
export function namedUrls(environment: Environment): readonly string[] {
  return Object.keys(environment).flatMap((variable) => {
    const name = NAMED_URL.exec(variable)?.[1];
    return name && environment[variable]?.trim() ? [name.toLowerCase().replaceAll('_', '-')] : [];
  });
}

/** An error about a variable's value, with the variable's name and a valid value. */
export function blameVariable(error: unknown, variable: string): unknown {
  if (!(error instanceof ConfigurationError) || error.variable !== null) return error;
  const { code, message, option, otherOptions } = error;
  const text = `${variable}: ${message}; for example ${variable}=${exampleOf(variable)}`;
  return new ConfigurationError(code, text, { option, otherOptions, variable });
}

/** A valid value of a variable that no option table declares: unless it is listed, it holds the URL of a named connection. */
function exampleOf(variable: string): string {
  return EXAMPLES[variable] ?? URL_EXAMPLE;
}
