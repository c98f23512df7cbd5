import type { EmailBackend } from './backend.ts';
import { ConsoleBackend, type ConsoleOptions } from './backends/console.ts';
import { DummyBackend, type DummyOptions } from './backends/dummy.ts';
import { FileBackend, type FileOptions } from './backends/file.ts';
import { MailboxBackend, type MailboxBackendOptions } from './backends/mailbox.ts';
import { SesBackend, type SesOptions } from './backends/ses.ts';
import { SmtpBackend, type SmtpBackendOptions } from './backends/smtp.ts';
import { ConfigurationError } from './errors.ts';
import type { AnyOptionTable } from './options.ts';
import { processState } from './util/process-state.ts';
import { quoted } from './util/quotable.ts';

/** The built-in backends by name: their options and their classes. */
export interface BuiltInBackends {
  /** Prints each message. */
  readonly console: { readonly options: ConsoleOptions; readonly backend: ConsoleBackend };
  /** Sends nothing, and stores the messages if asked. */
  readonly dummy: { readonly options: DummyOptions; readonly backend: DummyBackend };
  /** Writes each message as an .eml file. */
  readonly file: { readonly options: FileOptions; readonly backend: FileBackend };
  /** Catches each message and shows it in a page. */
  readonly mailbox: { readonly options: MailboxBackendOptions; readonly backend: MailboxBackend };
  /** Amazon SES. */
  readonly ses: { readonly options: SesOptions; readonly backend: SesBackend };
  /** Any SMTP or LMTP server. */
  readonly smtp: { readonly options: SmtpBackendOptions; readonly backend: SmtpBackend };
}

/** A class whose instances are backends; with an `optionTable`, getConnection checks names and values of options against it. */
export interface BackendClass<O extends object = object, B extends EmailBackend = EmailBackend> {
  new (options?: O): B;
  /** What its options are checked against, and read from URLs and variables. */
  readonly optionTable?: AnyOptionTable;
}

/** One line per backend: its name and its class. */
const BUILT_IN: ReadonlyMap<string, BackendClass> = new Map<string, BackendClass>([
  ['console', ConsoleBackend],
  ['dummy', DummyBackend],
  ['file', FileBackend],
  ['mailbox', MailboxBackend],
  ['ses', SesBackend],
  ['smtp', SmtpBackend],
]);

/** Those of the application: a class, or the `specifier#Export` that is loaded when it is asked for. */
const registered = /* @__PURE__ */ processState('backends', () => new Map<string, BackendClass | string>());

/** What another thread can find the same backend by: a built-in name or a specifier; null when only this thread knows it. */
export function crossingName(name: string): string | null {
  const own = registered.get(name);
  if (typeof own === 'string') return own;
  return BUILT_IN.has(name) || name.includes('#') ? name : null;
}

/** The name a class is registered under, or null. */
export function nameOfBackend(backend: BackendClass): string | null {
  for (const [name, known] of [...BUILT_IN, ...registered]) if (known === backend) return name;
  return null;
}

/** The names of all registered backends. */
export function backendNames(): readonly string[] {
  return [...BUILT_IN.keys(), ...registered.keys()];
}

/** The class or specifier registered under a name. */
export function findBackend(name: string): BackendClass | string | undefined {
  return BUILT_IN.get(name) ?? registered.get(name);
}

/**
 * Gives a backend a name for `getConnection` and AMSDAL_EMAIL_BACKEND; returns the function that takes the name away.
 *
 * @param backend The class, or a `specifier#Export` that is loaded when the name is first asked for.
 * @throws {ConfigurationError} `invalid-option` when the name is taken or could be mistaken for a path or URL.
 */
export function registerBackend(name: string, backend: BackendClass | string): () => void {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new ConfigurationError(
      'invalid-option',
      `a backend's name is lower-case letters, digits and hyphens, got ${quoted(name)}`,
    );
  }
  if (findBackend(name) !== undefined)
    throw new ConfigurationError('invalid-option', `the backend name '${name}' is taken`);
  registered.set(name, backend);
  return () => {
    registered.delete(name);
  };
}
