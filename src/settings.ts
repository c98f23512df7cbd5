import { type Environment, layerEnvironment } from './environment.ts';
import { ConfigurationError } from './errors.ts';
import { controlNameIn } from './util/control-name.ts';
import { processState } from './util/process-state.ts';

/** Right values of the variables that are read from no option table. */
export const EXAMPLES: Readonly<Record<string, string>> = {
  AMSDAL_EMAIL_BACKEND: 'smtp',
  AMSDAL_EMAIL_REDIRECT_TO: 'staging@example.com',
  AMSDAL_EMAIL_ALLOW: '@example.com,qa@example.org',
  AMSDAL_CONTRIBS: "'amsdal-mail/app#MailAppConfig'",
};
/** A right value of a variable for a URL. */
export const URL_EXAMPLE: string = 'smtps://user:p%40ssword@smtp.example.com:465';
/** The name of a variable that holds the URL of a named connection. */
export const NAMED_URL: RegExp = /^AMSDAL_EMAIL_([A-Z][A-Z0-9_]*)_URL$/;

/** Where variables come from besides the process. */
export interface EnvironmentLayers {
  /** Instead of the process's own environment. */
  readonly env?: Environment | undefined;
  /** What a `.env` file says; it loses to the variables above, even to an empty one. */
  readonly file?: Environment | undefined;
}

const current = /* @__PURE__ */ processState('environment', (): { layers: EnvironmentLayers } => ({ layers: {} }));

/**
 * The variables that configure this package; nothing else in it reads the process's environment.
 *
 * It is a view, not a copy: what the process changes later is seen.
 */
export function currentEnvironment(): Environment {
  const { env = process.env, file } = current.layers;
  return file === undefined ? env : layerEnvironment(env, file);
}

/** Whether NODE_ENV says that this is no development. */
export function isProduction(): boolean {
  return currentEnvironment()['NODE_ENV'] === 'production';
}

/** Whether a variable's value is the process's own or that of the file below it; null when it has none. */
export function originOf(variable: string): 'environment' | 'file' | null {
  const { env = process.env, file } = current.layers;
  if (env[variable] !== undefined) return 'environment';
  return file?.[variable] === undefined ? null : 'file';
}

/** Puts a file below the environment, or another one in its place; returns the function that restores what was there. */
export function setEnvironment(next: EnvironmentLayers): () => void {
  const before = current.layers;
  current.layers = next;
  return () => {
    current.layers = before;
  };
}

/**
 * What a variable says, without the white space around it, which files and secrets often end with; of a secret with it. Null when
 * it is not set, or empty.
 *
 * @throws {ConfigurationError} `invalid-option` for a control character, which nothing that is configured can hold.
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

/** The names of the connections that have a URL in the environment. */
export function namedUrls(environment: Environment): readonly string[] {
  return Object.keys(environment).flatMap((variable) => {
    const name = NAMED_URL.exec(variable)?.[1];
    return name && environment[variable]?.trim() ? [name.toLowerCase().replaceAll('_', '-')] : [];
  });
}

/** An error about what a variable says, with its name and a right value. */
export function blameVariable(error: unknown, variable: string): unknown {
  if (!(error instanceof ConfigurationError) || error.variable !== null) return error;
  const { code, message, option, otherOptions } = error;
  const text = `${variable}: ${message}; for example ${variable}=${exampleOf(variable)}`;
  return new ConfigurationError(code, text, { option, otherOptions, variable });
}

/** A right value of a variable that is read from no option table; those of URLs are not listed, as names are anybody's. */
function exampleOf(variable: string): string {
  return EXAMPLES[variable] ?? URL_EXAMPLE;
}
