import type { Awaitable } from '../events.ts';

/**
 * A plugin of an AMSDAL application: a class that AMSDAL_CONTRIBS names, made without arguments.
 *
 * `onSetup` runs for every plugin in the order they are named, `onReady` after all of them are set up.
 */
export abstract class AppConfig {
  /** The name of the plugin, as `amsdal_mail`. */
  abstract readonly name: string;

  /** The name in lower case with hyphens, for URLs and files. */
  get slug(): string {
    return this.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  }

  /** Registers backends, names connections, subscribes to events; default: nothing. */
  onSetup(): Awaitable<void> {}

  /** Uses what other plugins have set up; default: nothing. */
  onReady(): Awaitable<void> {}
}
