import { ConfigurationError } from '../errors.ts';
import type { Acceptance } from './accept-mail.ts';
import type { Arrival } from './caught-mail.ts';
import { MailboxServer } from './mailbox.ts';
import type { ResolvedMailboxOptions } from './mailbox-options.ts';
import { MAILBOX_NAME } from './mailbox-routes.ts';

/**
 * The mailbox that a process's backends share: its own, or when the port is taken the one that listens there, such as
 * that of `npx amsdal-mail mailbox` or of another worker of the same app.
 */
export class SharedMailbox {
  readonly #options: ResolvedMailboxOptions;
  readonly #mailbox: MailboxServer;
  /** What was caught before it was clear which mailbox is meant. */
  #early: Arrival[] | null = [];
  #isOwn = true;
  /** Settles when it is clear which mailbox is meant. */
  readonly ready: Promise<void>;

  constructor(options: ResolvedMailboxOptions) {
    this.#options = options;
    this.#mailbox = new MailboxServer(options);
    this.ready = this.#start();
    this.ready.catch(() => {}); // told to every send, which awaits it
  }

  /** Where the page is. */
  get url(): string {
    return this.#isOwn ? this.#mailbox.url : this.#otherUrl;
  }

  get #otherUrl(): string {
    const { host, port } = this.#options;
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** Hands a mail in. */
  async accept(arrival: Arrival, signal: AbortSignal | undefined): Promise<Acceptance> {
    await this.ready;
    return this.#isOwn ? this.#mailbox.accept(arrival) : this.#post(arrival, signal);
  }

  /** Hands a mail in while the thread is blocked; null when the mailbox is another process's. */
  acceptNow(arrival: Arrival): Acceptance | null {
    if (!this.#isOwn) return null;
    this.#early?.push(arrival);
    return this.#mailbox.accept(arrival);
  }

  close(): Promise<void> {
    return this.#mailbox.close();
  }

  async #start(): Promise<void> {
    try {
      await this.#mailbox.listen();
      this.#mailbox.unref();
    } catch (error) {
      const info = await fetch(`${this.#otherUrl}/api/info`)
        .then((response) => response.json())
        .catch(() => null);
      if (info?.name !== MAILBOX_NAME) throw error;
      this.#isOwn = false;
      for (const arrival of this.#early ?? []) await this.#post(arrival, undefined);
    } finally {
      this.#early = null;
    }
    process.stderr.write(`amsdal-mail: mails are caught, see them at ${this.url}\n`);
  }

  async #post(arrival: Arrival, signal: AbortSignal | undefined): Promise<Acceptance> {
    const { bytes, via: _, ...rest } = arrival;
    const response = await fetch(`${this.url}/api/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...rest, source: Buffer.from(bytes).toString('base64') }),
      ...(signal === undefined ? {} : { signal }),
    });
    const answer = await response.json();
    if (response.ok) return answer;
    throw new ConfigurationError(
      'invalid-option',
      `the mailbox at ${this.url} refused the mail: ${answer?.error?.message}`,
    );
  }
}

const shared = new Map<string, SharedMailbox>();

/** The process's mailbox at a host and port, started when it is first asked for. */
export function sharedMailbox(options: ResolvedMailboxOptions): SharedMailbox {
  const key = `${options.host} ${options.port}`;
  const known = shared.get(key);
  if (known !== undefined) return known;
  const made = new SharedMailbox(options);
  shared.set(key, made);
  return made;
}
