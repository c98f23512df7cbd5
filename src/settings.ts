import { ConfigurationError } from './errors.ts';
import { type AnyOptionTable, describe, parseOption } from './options.ts';

/** Variables by name, as `process.env` has them; an empty one counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

interface Variable {
  readonly option: string;
  /** A right value, quoted when the one found is wrong. */
  readonly example: string;
  /** Turns the variable's unit into the option's. */
  readonly scale?: number;
}

/** Which backend the environment asks for, and by which variable. */
export interface ChosenBackend {
  readonly variable: 'AMSDAL_EMAIL_BACKEND' | 'AMSDAL_EMAIL_URL' | null;
  /** A name or specifier, or the URL. */
  readonly value: string;
}

const SHARED: Readonly<Record<string, Variable>> = {
  AMSDAL_EMAIL_FROM: { option: 'defaultFrom', example: 'Shop <noreply@example.com>' },
};

const BY_BACKEND: Readonly<Record<string, Readonly<Record<string, Variable>>>> = {
  smtp: {
    AMSDAL_EMAIL_HOST: { option: 'host', example: 'smtp.example.com' },
    AMSDAL_EMAIL_PORT: { option: 'port', example: '587' },
    AMSDAL_EMAIL_USER: { option: 'username', example: 'mailer' },
    AMSDAL_EMAIL_PASSWORD: { option: 'password', example: 'the password' },
    AMSDAL_EMAIL_USE_TLS: { option: 'useTls', example: 'true' },
    AMSDAL_EMAIL_USE_SSL: { option: 'useSsl', example: 'true' },
    AMSDAL_EMAIL_TIMEOUT: { option: 'timeoutMs', example: '30', scale: 1000 },
    AMSDAL_EMAIL_DEBUG: { option: 'debug', example: '1' },
  },
  file: {
    AMSDAL_EMAIL_FILE_PATH: { option: 'path', example: './mails' },
  },
  ses: {
    AWS_ACCESS_KEY_ID: { option: 'accessKeyId', example: 'AKIAIOSFODNN7EXAMPLE' },
    AWS_SECRET_ACCESS_KEY: { option: 'secretAccessKey', example: 'the secret key' },
    AWS_SESSION_TOKEN: { option: 'sessionToken', example: 'the session token' },
    AWS_DEFAULT_REGION: { option: 'region', example: 'eu-west-1' },
    AWS_REGION: { option: 'region', example: 'eu-west-1' },
    AWS_SES_CONFIGURATION_SET: { option: 'configurationSet', example: 'marketing' },
  },
};

/** Variables that describe the SMTP server, which AMSDAL_EMAIL_URL describes whole. */
const SERVER_VARIABLES = ['HOST', 'PORT', 'USER', 'PASSWORD', 'USE_TLS', 'USE_SSL', 'TIMEOUT'].map(
  (part) => `AMSDAL_EMAIL_${part}`,
);

/** The process's environment; nothing else in this package reads it. */
export function processEnvironment(): Environment {
  return process.env;
}

/**
 * The backend that AMSDAL_EMAIL_URL or AMSDAL_EMAIL_BACKEND names; `console` without both.
 *
 * @throws {ConfigurationError} `conflicting-options` when a URL and variables that it replaces are both set.
 */
export function chosenBackend(environment: Environment): ChosenBackend {
  const url = connectionUrl(environment);
  if (url !== null) return { variable: 'AMSDAL_EMAIL_URL', value: url };
  const name = environment['AMSDAL_EMAIL_BACKEND'];
  return { variable: name ? 'AMSDAL_EMAIL_BACKEND' : null, value: name || 'console' };
}

/**
 * AMSDAL_EMAIL_URL, or null.
 *
 * @throws {ConfigurationError} `conflicting-options` when variables that it replaces are set, too.
 */
export function connectionUrl(environment: Environment): string | null {
  const url = environment['AMSDAL_EMAIL_URL'];
  if (!url) return null;
  const rival = ['AMSDAL_EMAIL_BACKEND', ...SERVER_VARIABLES].find((variable) => environment[variable]);
  if (rival === undefined) return url;
  throw new ConfigurationError(
    'conflicting-options',
    `AMSDAL_EMAIL_URL and ${rival} are both set: the URL says it all, unset ${rival}`,
  );
}

/**
 * The options that the environment has for a backend; beside a URL, only those that do not describe a server.
 *
 * @throws {ConfigurationError} `invalid-option`, naming the variable and an example of a right value.
 */
export function environmentOptions(
  backend: string | null,
  table: AnyOptionTable | undefined,
  environment: Environment,
  hasUrl: boolean,
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries({ ...SHARED, ...(backend !== null && BY_BACKEND[backend]) })) {
    const text = environment[name];
    if (text && !(hasUrl && SERVER_VARIABLES.includes(name)))
      options[variable.option] = readVariable(name, variable, text, table);
  }
  return options;
}

function readVariable(
  name: string,
  { option, example, scale }: Variable,
  text: string,
  table: AnyOptionTable | undefined,
): unknown {
  const spec = table?.[option];
  if (spec === undefined) return text;
  const scaled = scale !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? String(Math.round(Number(text) * scale)) : text;
  const value = parseOption(spec, scaled);
  if (value !== undefined) return value;
  const shown = 'secret' in spec ? 'what is set' : `'${text}'`;
  const expected = scale === undefined ? describe(spec) : 'a number of seconds';
  throw new ConfigurationError(
    'invalid-option',
    `${name} must be ${expected}, not ${shown}; for example ${name}=${example}`,
  );
}
