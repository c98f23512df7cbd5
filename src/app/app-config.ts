import type { Awaitable } from '../events/mail-event.ts';

/**
 * A plugin of an AMSDAL application: a class named in AMSDAL_CONTRIBS, constructed without arguments.
 *
 * `onSetup` runs for every plugin in the order of AMSDAL_CONTRIBS, `onReady` after all of them are set up.
 */
export abstract class AppConfig {
  /** The name of the plugin, such as `amsdal_mail`. */
  abstract readonly name: string;

  /** The name in lower case with hyphens, for URLs and files. */
  get slug(): string {
    return this.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  }

  /** Registers backends, names connections, subscribes to events; default: nothing. */
  onSetup(): Awaitable<void> {}

  /** Runs after every plugin is set up; default: nothing. */
  onReady(): Awaitable<void> {}
}
