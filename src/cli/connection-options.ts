import { stderr } from 'node:process';
import type { EmailBackend } from '../backend/backend.ts';
import { getConnection } from '../connection/connection.ts';
import { currentEnvironment, layerEnvironment, setEnvironment } from '../options/environment.ts';
import { readConfiguration } from './check/configuration.ts';
import type { OptionValues } from './command.ts';
import { UsageError } from './failure.ts';

/** The options of every command that uses a connection; without them the environment (and `.env`) decides. */
export const CONNECTION_OPTIONS = {
  backend: { value: 'NAME', help: 'a backend, preset or class: smtp, ses, gmail, @marketing, ./mine.js#Mine' },
  url: { value: 'URL', help: 'a whole connection: smtps://user:password@host; others see it in the list of processes' },
  debug: { help: 'print the dialogue with the server to stderr, without secrets' },
} as const;

/** The target for `getConnection` that {@link CONNECTION_OPTIONS} choose; undefined for that of the environment. */
export function connectionTarget(values: OptionValues<typeof CONNECTION_OPTIONS>): string | undefined {
  if (values.backend !== undefined && values.url !== undefined) {
    throw new UsageError('--backend and --url both say where to send: give one');
  }
  return values.url ?? values.backend;
}

/**
 * The connection of a command.
 *
 * `--debug` sets AMSDAL_EMAIL_DEBUG=1 rather than an option, which backends without a dialogue would refuse.
 *
 * @throws {ConfigurationError} when the target or the environment is wrong
 */
export function connectionOf(values: OptionValues<typeof CONNECTION_OPTIONS>, isJson: boolean): EmailBackend {
  const target = connectionTarget(values);
  if (values.debug) setEnvironment({ env: layerEnvironment({ AMSDAL_EMAIL_DEBUG: '1' }, currentEnvironment()) });
  // stdout is reserved for the JSON value.
  const { backend, options } = readConfiguration(target);
  return isJson && backend === 'console'
    ? getConnection(backend, { ...options, stream: stderr })
    : getConnection(target);
}
