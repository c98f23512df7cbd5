import { ConfigurationError, EmailConnectionError, SendError } from '../errors.ts';
import { importOwn } from '../util/own-file.ts';
import { isError } from '../util/reason.ts';
import type { Acceptance } from './accept-mail.ts';
import type { Arrival } from './caught-mail.ts';
import type { MailboxServer } from './mailbox.ts';
import { MAILBOX_NAME, type ResolvedMailboxOptions } from './mailbox-options.ts';

/** How long what listens on the port may take to say that it is a mailbox: a thread that is blocked never does. */
const ANSWER_MS = 5000;
/** When a kept connection breaks, nobody knows whether the mail was handed in. */
const UNKEPT = { connection: 'close' };

/**
 * The mailbox that a thread's backends share: its own, or when the port is taken the one that listens there, such as
 * that of `npx amsdal-mail mailbox` or of another worker of the same app.
 */
class SharedMailbox {
  readonly #options: ResolvedMailboxOptions;
  #own: MailboxServer | null = null;
  /** Settles when it is clear which mailbox is meant. */
  readonly ready: Promise<void>;

  constructor(options: ResolvedMailboxOptions) {
    this.#options = options;
    this.ready = this.#start();
  }

  /** The mailbox when it is this thread's own and takes mails in; null before, and when it is another's. */
  get own(): MailboxServer | null {
    return this.#own;
  }

  /** Where the page is, once it is ready. */
  get url(): string {
    const { host, port } = this.#options;
    return this.#own?.url ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** Hands a mail in. */
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
      if (shared.get(key) === this) shared.delete(key); // the next mail finds another one, or starts its own
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
 * Serves a mailbox, in the background. Page, API and receiver are most of this package, and their files are not found in a
 * bundle: no bundler is to follow them.
 */
async function serve(options: ResolvedMailboxOptions): Promise<MailboxServer> {
  // What is imported is this package's own file.
  const { MailboxServer } = (await importOwn(import.meta.url, './mailbox', 'the mailbox needs')) as {
    readonly MailboxServer: new (options: ResolvedMailboxOptions) => MailboxServer;
  };
  const mailbox = new MailboxServer(options);
  try {
    await mailbox.listen();
  } catch (error) {
    await mailbox.close(); // its watcher, too
    throw error;
  }
  mailbox.unref();
  return mailbox;
}

/** Nothing listens there, so that nothing was handed in. */
function isRefused(error: unknown): boolean {
  const cause = isError(error) ? error.cause : null;
  return isError(cause) && 'code' in cause && cause.code === 'ECONNREFUSED';
}

const shared = new Map<string, SharedMailbox>();

/** The thread's mailbox at a host and port, started when it is first asked for, and anew when it could not start. */
export function sharedMailbox(options: ResolvedMailboxOptions): SharedMailbox {
  const key = keyOf(options);
  const known = shared.get(key);
  if (known !== undefined) return known;
  const made = new SharedMailbox(options);
  shared.set(key, made);
  made.ready.catch(() => shared.delete(key)); // the reason is told to every send that waits
  return made;
}

/** The mailbox at a host and port when this very thread serves it, so that it takes mails in while the thread is blocked. */
export function ownMailbox(options: ResolvedMailboxOptions): MailboxServer | null {
  return shared.get(keyOf(options))?.own ?? null;
}

function keyOf({ host, port }: ResolvedMailboxOptions): string {
  return `${host} ${port}`;
}
