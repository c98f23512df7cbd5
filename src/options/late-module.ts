import { ConfigurationError } from '../model/errors.ts';
import { reasonOf } from '../util/reason.ts';
import { requireOwn } from './own-file.ts';

/**
 * What the import of a part of this package gives.
 *
 * @throws {ConfigurationError} `load-failed` when its file is not there, as after an incomplete deployment.
 */
export async function loaded<Module>(importing: Promise<Module>): Promise<Module> {
  try {
    return await importing;
  } catch (cause) {
    const text = `a part of the package amsdal-mail cannot be loaded: ${reasonOf(cause)}`;
    throw new ConfigurationError('load-failed', text, { cause });
  }
}

/** A module of this package that is loaded when it is first needed, so that programs which never need it do without. */
export class LateModule<Module> {
  readonly #import: () => Promise<Module>;
  readonly #path: string;
  readonly #from: string | undefined;
  #module: Module | null = null;

  /**
   * @param load imports it, by an `import()` that bundlers follow
   * @param path where the build puts it, without the extension, relative to the file `from`
   */
  constructor(load: () => Promise<Module>, path: string, from: string | undefined) {
    this.#import = load;
    this.#path = path;
    this.#from = from;
  }

  /** The module, if it has been loaded. */
  get loaded(): Module | null {
    return this.#module;
  }

  /** @throws {ConfigurationError} as {@link loaded}. */
  async load(): Promise<Module> {
    this.#module ??= await loaded(this.#import());
    return this.#module;
  }

  /**
   * Loads it at once, for a blocking call.
   *
   * @throws {ConfigurationError} `load-failed` in a bundle, unless it has been loaded before.
   */
  loadNow(): Module {
    // The file is that module, in its CommonJS form.
    this.#module ??= requireOwn(this.#from, this.#path, 'blocking calls need') as Module;
    return this.#module;
  }
}
