import { stderr } from 'node:process';
import type { EmailBackend } from '../backend/backend.ts';
import { getConnection } from '../connection/connection.ts';
import { VENDORS } from '../mailbox/emulate/vendors.ts';
import { MAILBOX_NAME } from '../mailbox/mailbox-options.ts';
import { currentEnvironment, isProduction, layerEnvironment, setEnvironment } from '../options/environment.ts';
import { isObject } from '../util/json.ts';
import { readConfiguration, targetOf } from './check/configuration.ts';
import type { OptionValues } from './command.ts';
import { UnavailableError, UsageError } from './failure.ts';

/** The options of every command that uses a connection; without them the environment (and `.env`) decides. */
export const CONNECTION_OPTIONS = {
  backend: { value: 'NAME', help: 'a backend, preset or class: smtp, ses, gmail, @marketing, ./mine.js#Mine' },
  url: { value: 'URL', help: 'a whole connection: smtps://user:password@host; others see it in the list of processes' },
  emulate: {
    value: 'URL',
    fallback: 'http://127.0.0.1:8025',
    help: "send to the mailbox there, in the place of the backend's vendor; any key will do",
  },
  debug: { help: 'print the dialogue with the server to stderr, without secrets' },
} as const;

/** The target for `getConnection` that {@link CONNECTION_OPTIONS} choose; undefined for that of the environment. */
export function connectionTarget(values: OptionValues<typeof CONNECTION_OPTIONS>): string | undefined {
  if (values.backend !== undefined && values.url !== undefined) {
    throw new UsageError('--backend and --url both say where to send: give one');
  }
  return values.url ?? values.backend;
}

/** The options that have a backend send to the mailbox of `--emulate`; none without it. @throws {UsageError} where it cannot be used */
export function emulationOptions({
  emulate,
  ...values
}: OptionValues<typeof CONNECTION_OPTIONS>): Readonly<Record<string, string>> {
  if (emulate === undefined) return {};
  if (isProduction())
    throw new UsageError('--emulate sends nothing to anybody, and NODE_ENV is production: leave it out');
  if (!/^https?:\/\//.test(emulate) || !URL.canParse(emulate))
    throw new UsageError('--emulate takes the URL of a mailbox, as http://127.0.0.1:8025');
  const target = targetOf(connectionTarget(values));
  const backend = target.name ?? target.backend.name;
  const { optionTable = {} } = target.backend;
  const address = ['baseUrl', 'endpoint'].find((option) => optionTable[option] !== undefined);
  if (!Object.hasOwn(VENDORS, backend) || address === undefined) {
    const known = Object.keys(VENDORS).join(', ');
    throw new UsageError(`--emulate is for the backends ${known}, not for ${backend}: choose one by --backend`);
  }
  const logins = Object.entries(optionTable).flatMap(([option, { part, urlPart, variable }]) => {
    const [first] = [variable ?? []].flat();
    const isLogin = part === 'login' || urlPart === 'username' || urlPart === 'password';
    // Examples are written as for a shell.
    return isLogin && first !== undefined
      ? [{ option, ...first, example: first.example.replace(/^'(.*)'$/, '$1') }]
      : [];
  });
  // Real keys stay here, and what is set in their place need not look like one.
  const examples = Object.fromEntries(logins.map(({ name, example }) => [name, example]));
  setEnvironment({ env: layerEnvironment(examples, currentEnvironment()) });
  const url = `${emulate.replace(/\/+$/, '')}/api/emulate/${backend}`;
  return { ...Object.fromEntries(logins.map(({ option, example }) => [option, example])), [address]: url };
}

/** Sees that a mailbox is where `--emulate` says. @throws {UnavailableError} when none is */
export async function findMailbox({ emulate }: OptionValues<typeof CONNECTION_OPTIONS>): Promise<void> {
  if (emulate === undefined) return;
  const info: unknown = await fetch(new URL('/api/info', emulate), { signal: AbortSignal.timeout(5000) })
    .then((response) => response.json())
    .catch(() => null);
  if (isObject(info) && info['name'] === MAILBOX_NAME) return;
  const { port } = new URL(emulate);
  const command = `npx amsdal-mail mailbox${port === '8025' ? '' : ` --port ${port || '80'}`}`;
  throw new UnavailableError(`there is no mailbox at ${new URL(emulate).origin}: start one with ${command}`);
}

/**
 * The connection of a command.
 *
 * `--debug` sets AMSDAL_EMAIL_DEBUG=1 rather than an option, which backends without a dialogue would refuse.
 *
 * @throws {ConfigurationError} when the target or the environment is wrong
 * @throws {UnavailableError} when there is no mailbox where `--emulate` says
 */
export async function connectionOf(
  values: OptionValues<typeof CONNECTION_OPTIONS>,
  isJson: boolean,
): Promise<EmailBackend> {
  const target = connectionTarget(values);
  const own = emulationOptions(values);
  await findMailbox(values);
  if (values.debug) setEnvironment({ env: layerEnvironment({ AMSDAL_EMAIL_DEBUG: '1' }, currentEnvironment()) });
  // stdout is reserved for the JSON value.
  const { backend, options } = readConfiguration(target, own);
  return isJson && backend === 'console'
    ? getConnection(backend, { ...options, stream: stderr })
    : getConnection(target, own);
}
