import { ConfigurationError, EmailError } from '../model/errors.ts';
import { blameVariable, currentEnvironment, type Environment } from '../options/environment.ts';
import { type LoadEnvOptions, loadEnv } from '../options/load-env.ts';
import { importExport } from '../options/load-export.ts';
import { reasonOf } from '../util/reason.ts';
import type { AppConfig } from './app-config.ts';
import { MailAppConfig } from './mail-app-config.ts';

/** Where {@link setupContribs} finds the configuration; `./` specifiers are also relative to `cwd`. */
export type SetupOptions = LoadEnvOptions;

/** A plugin's class. */
type AppConfigClass = new () => AppConfig;

/** This package's own plugin, in both spellings; it need not be resolved from the project. */
const OURS: ReadonlySet<string> = new Set(['amsdal-mail/app#MailAppConfig', 'amsdal_mail.app.MailAppConfig']);

/**
 * Starts the plugins that AMSDAL_CONTRIBS names, in order: `./plugins/audit.js#AuditAppConfig`, `package#Export`, separated by
 * commas or as a JSON list; `amsdal_mail.app.MailAppConfig` is this package's own, as in Python.
 *
 * From then on, the variables of the file apply to every connection of the process; `process.env` itself is not changed.
 *
 * @returns The plugins, each once, after `onSetup` and `onReady` of all have run.
 * @throws {ConfigurationError} `load-failed` or `invalid-contrib` for a name that cannot be loaded, saying what was tried; no plugin was set up then.
 */
export async function setupContribs(options: SetupOptions = {}): Promise<readonly AppConfig[]> {
  const { cwd = process.cwd() } = options;
  const restore = loadEnv(options);
  try {
    const names = readContribs(currentEnvironment());
    const classes: AppConfigClass[] = [];
    for (const name of names) classes.push(await loadContrib(name, cwd));
    const apps = [...new Set(classes)].map((contrib) => new contrib());
    for (const app of apps) await runStep(app, 'onSetup');
    for (const app of apps) await runStep(app, 'onReady');
    return apps;
  } catch (error) {
    restore();
    throw error;
  }
}

function readContribs(environment: Environment): readonly string[] {
  const text = environment['AMSDAL_CONTRIBS']?.trim() ?? '';
  const names: unknown = text.startsWith('[') ? parseList(text) : text.split(',');
  const isList = Array.isArray(names) && names.every((name) => typeof name === 'string');
  if (!isList) throw wrongList();
  return names.map((name) => name.trim()).filter((name) => name !== '');
}

function parseList(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrongList();
  }
}

function wrongList(): unknown {
  const problem = 'what begins with [ must be a JSON list of strings';
  return blameVariable(new ConfigurationError('invalid-option', problem), 'AMSDAL_CONTRIBS');
}

async function loadContrib(name: string, cwd: string): Promise<AppConfigClass> {
  if (OURS.has(name)) return MailAppConfig;
  try {
    if (/^\w+(?:\.\w+)+$/.test(name)) {
      const problem = `'${name}' is a Python class, and only amsdal_mail.app.MailAppConfig has a counterpart here`;
      throw new ConfigurationError('invalid-contrib', `${problem}: write './file.js#ClassName' or 'package#ClassName'`);
    }
    const found = await importExport('contrib', name, cwd);
    if (isAppConfigClass(found)) return found;
    throw new ConfigurationError('invalid-contrib', `contrib '${name}' is not a class that extends AppConfig`);
  } catch (error) {
    throw blameVariable(error, 'AMSDAL_CONTRIBS');
  }
}

/** By shape, since the class may extend another copy of this package. */
function isAppConfigClass(value: unknown): value is AppConfigClass {
  const { onSetup, onReady } = (typeof value === 'function' ? (value.prototype ?? {}) : {}) as Partial<AppConfig>;
  return typeof onSetup === 'function' && typeof onReady === 'function';
}

async function runStep(app: AppConfig, step: 'onSetup' | 'onReady'): Promise<void> {
  try {
    await app[step]();
  } catch (cause) {
    if (cause instanceof EmailError) throw cause;
    const reason = reasonOf(cause);
    throw new ConfigurationError('load-failed', `${step} of the plugin '${app.name}' failed: ${reason}`, { cause });
  }
}
