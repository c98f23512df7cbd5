import { requireOwn } from '../options/own-file.ts';

/** What composes mails, loaded when the first one is, so that it is in no bundle's first file. */
export type Composer = typeof import('./compose/engine.ts');

let composer: Composer | null = null;

export async function loadComposer(): Promise<Composer> {
  composer ??= await import('./compose/engine.ts');
  return composer;
}

/**
 * {@link loadComposer} for blocking calls.
 *
 * @throws {ConfigurationError} `load-failed` in a bundle, unless it has been loaded before.
 */
export function loadComposerNow(): Composer {
  // Relative to the file that the build puts this module into; it is of the type that the module above has.
  composer ??= requireOwn(import.meta.url, './mime/compose/engine', 'blocking calls need') as Composer;
  return composer;
}
