import { ConfigurationError, EmailConnectionError, SendError } from '../../model/errors.ts';
import { importOwn } from '../../options/own-file.ts';
import { isError } from '../../util/reason.ts';
import type { MailboxServer } from '../mailbox.ts';
import { MAILBOX_NAME, pageUrl, type ResolvedMailboxOptions } from '../mailbox-options.ts';
import type { Arrival } from '../store/caught-mail.ts';
import type { Acceptance } from './accept-mail.ts';

/** How long whatever listens on the port may take to identify itself as a mailbox, in milliseconds. */
const ANSWER_MS = 5000;
/** Without keep-alive: a kept connection may close just as a mail is sent, and nobody knows whether it arrived. */
const UNKEPT = { connection: 'close' };

/**
 * The mailbox that the backends of a thread share: one that it serves itself or, when the port is taken, the one that listens
 * there, such as that of `npx amsdal-mail mailbox` or of another worker of the same app.
 */
class SharedMailbox {
  readonly #options: ResolvedMailboxOptions;
  #own: MailboxServer | null = null;
  /** Settles when a mailbox runs. */
  readonly ready: Promise<void>;

  constructor(options: ResolvedMailboxOptions) {
    this.#options = options;
    this.ready = this.#start();
  }

  /** The mailbox that this thread serves; null until it runs, and when another process serves it. */
  get own(): MailboxServer | null {
    return this.#own;
  }

  /** The URL of the page. */
  get url(): string {
    return this.#own?.url ?? pageUrl(this.#options.host, this.#options.port);
  }

  async accept(arrival: Arrival, signal: AbortSignal | undefined): Promise<Acceptance> {
    await this.ready;
    return this.#own === null ? this.#post(arrival, signal) : this.#own.accept(arrival);
  }

  async #start(): Promise<void> {
    try {
      this.#own = await serve(this.#options);
    } catch (error) {
      const info = await fetch(`${this.url}/api/info`, { headers: UNKEPT, signal: AbortSignal.timeout(ANSWER_MS) })
        .then((response) => response.json())
        .catch(() => null);
      if (info?.name !== MAILBOX_NAME) throw error;
    }
    process.stderr.write(`amsdal-mail: mails are caught, see them at ${this.url}\n`);
  }

  async #post(arrival: Arrival, signal: AbortSignal | undefined): Promise<Acceptance> {
    const { bytes, via: _, ...rest } = arrival;
    const response = await fetch(`${this.url}/api/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...UNKEPT },
      body: JSON.stringify({ ...rest, source: Buffer.from(bytes).toString('base64') }),
      ...(signal === undefined ? {} : { signal }),
    }).catch((cause: unknown) => {
      if (!isRefused(cause)) throw cause;
      const key = keyOf(this.#options);
      if (shared.get(key) === this) shared.delete(key); // the next mail finds or starts another one
      const text = `the mailbox at ${this.url} is no longer there: send it again`;
      throw new EmailConnectionError('refused', text, { retryable: true, cause });
    });
    const answer = await response.json();
    if (response.ok) return answer;
    const text = `the mailbox at ${this.url} refused the mail: ${answer?.error?.message}`;
    if (response.status === 413) throw new SendError('too-large', text, { phase: 'content' });
    throw new ConfigurationError('invalid-option', text);
  }
}

/**
 * Serves a mailbox in the background. It is imported in a way that bundlers do not follow: page, API and receiver are most of
 * this package, and need files that a bundle does not have.
 */
async function serve(options: ResolvedMailboxOptions): Promise<MailboxServer> {
  // The type holds: it is this package's own file.
  const { MailboxServer } = (await importOwn(import.meta.url, '../mailbox', 'the mailbox needs')) as {
    readonly MailboxServer: new (options: ResolvedMailboxOptions) => MailboxServer;
  };
  const mailbox = new MailboxServer(options);
  try {
    await mailbox.listen();
  } catch (error) {
    await mailbox.close(); // and its watcher
    throw error;
  }
  mailbox.unref();
  return mailbox;
}

/** Whether nothing listens there, so that nothing was sent. */
function isRefused(error: unknown): boolean {
  const cause = isError(error) ? error.cause : null;
  return isError(cause) && 'code' in cause && cause.code === 'ECONNREFUSED';
}

const shared = new Map<string, SharedMailbox>();

/** The thread's mailbox at a host and port, started at the first call, or again after it failed to start. */
export function sharedMailbox(options: ResolvedMailboxOptions): SharedMailbox {
  const key = keyOf(options);
  const known = shared.get(key);
  if (known !== undefined) return known;
  const made = new SharedMailbox(options);
  shared.set(key, made);
  made.ready.catch(() => shared.delete(key)); // every waiting send rejects with the reason
  return made;
}

/** The mailbox at a host and port if this thread serves it: it accepts mails even while the thread is blocked. */
export function ownMailbox(options: ResolvedMailboxOptions): MailboxServer | null {
  return shared.get(keyOf(options))?.own ?? null;
}

function keyOf({ host, port }: ResolvedMailboxOptions): string {
  return `${host} ${port}`;
}
