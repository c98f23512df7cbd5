import { setEnvironment } from '../settings.ts';
import { readEnvFile } from './env-file.ts';

/** Where {@link loadEnv} finds the variables. */
export interface LoadEnvOptions {
  /** Variables that count instead of the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A file of variables, which lose to those of the process; null for none; default `.env`, if there is one. */
  readonly envFile?: string | null;
  /** The folder that the file is looked for in; default: the working directory. */
  readonly cwd?: string;
}

/**
 * Lets this package see the variables of `.env`, for every connection of the process from here on; those of the process win.
 *
 * `process.env` is not changed: other code does not see them. Where all of the app is to see them, start it with
 * `node --env-file=.env`; {@link setupContribs} calls this by itself.
 *
 * @returns The function that restores what was there before.
 * @throws {ConfigurationError} `load-failed` for a file that was named and cannot be read.
 */
export function loadEnv(options: LoadEnvOptions = {}): () => void {
  const { env, envFile, cwd = process.cwd() } = options;
  return setEnvironment({ env, file: readEnvFile(envFile, cwd) });
}
