import { readEnvFile } from './env-file.ts';
import { setEnvironment } from './environment.ts';

/** Where {@link loadEnv} finds the variables. */
export interface LoadEnvOptions {
  /** Variables that replace the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A file of variables, over which those of the process win; null for none; default `.env`, if it exists. */
  readonly envFile?: string | null;
  /** The folder of the file; default: the working directory. */
  readonly cwd?: string;
}

/**
 * Applies the variables of `.env` to every connection of the process from then on; those of the process win.
 *
 * `process.env` is not changed, so other code does not see them: for that, start the app with `node --env-file=.env`.
 * {@link setupContribs} calls this itself.
 *
 * @returns The function that restores the previous variables.
 * @throws {ConfigurationError} `load-failed` for a named file that cannot be read.
 */
export function loadEnv(options: LoadEnvOptions = {}): () => void {
  const { env, envFile, cwd = process.cwd() } = options;
  return setEnvironment({ env, file: readEnvFile(envFile, cwd) });
}
