import { EmailConnectionError } from '../../model/errors.ts';
import { unlessAborted } from '../../util/unless-aborted.ts';
import type { AuthMethod } from '../options.ts';

/** How long no login is tried after a refusal: accounts lock when a wrong password comes too often. */
const REFUSED_FOR_MS = 60_000;

/** Opens a session with the mechanism that has let this user in before, null when there is none. */
type OpenWith<T> = (known: AuthMethod | null) => Promise<T>;

/**
 * What the logins of one user at one server have shown, for all connections that share it.
 *
 * While no mechanism is known to work, one login is tried at a time and the others wait for it; then they use what
 * worked. For a minute after a refusal no login is tried, and all fail with that refusal.
 */
export class LoginMemory {
  readonly #now: () => number;
  #known: AuthMethod | null = null;
  #refusal: { readonly error: EmailConnectionError; readonly until: number; readonly wasFresh: boolean } | null = null;
  #underWay: Promise<unknown> | null = null;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Opens a session that logs in, when its turn comes.
   *
   * @param isFresh whether to try again what was refused, and without what is known; a refusal of such a try holds for all
   * @throws {EmailConnectionError} what `open` throws; the refusal that is remembered; code `aborted`.
   */
  async open<T extends { readonly authMethod: AuthMethod | null }>(
    open: OpenWith<T>,
    signal: AbortSignal,
    isFresh: boolean,
  ): Promise<T> {
    while (this.#underWay !== null && (isFresh || this.#known === null)) {
      await unlessAborted(this.#underWay, signal).catch((cause: unknown) => {
        throw new EmailConnectionError('aborted', 'the call was aborted', { phase: 'connect', cause });
      });
    }
    const refusal = this.#refusal;
    if (refusal && this.#now() < refusal.until && (!isFresh || refusal.wasFresh)) throw refusal.error;
    if (this.#known !== null && !isFresh) return this.#learn(open(this.#known), isFresh);
    const session = this.#learn(open(null), isFresh);
    this.#underWay = session.then(
      () => {},
      () => {},
    );
    try {
      return await session;
    } finally {
      this.#underWay = null;
    }
  }

  async #learn<T extends { readonly authMethod: AuthMethod | null }>(
    opening: Promise<T>,
    wasFresh: boolean,
  ): Promise<T> {
    try {
      const session = await opening;
      this.#known = session.authMethod;
      this.#refusal = null;
      return session;
    } catch (error) {
      if (isRefusal(error)) {
        this.#known = null;
        this.#refusal = { error, until: this.#now() + REFUSED_FOR_MS, wasFresh };
      }
      throw error;
    }
  }
}

/** A lasting refusal by the server or a token endpoint: not 454 or 421, nor a connection that broke. */
function isRefusal(error: unknown): error is EmailConnectionError {
  return error instanceof EmailConnectionError && error.code === 'auth' && !error.retryable && error.reply !== null;
}
