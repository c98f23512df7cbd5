/// <reference lib="esnext.disposable" preserve="true" />
import { ConfigurationError } from '../model/errors.ts';
import type { SmtpServer } from '../smtp-server/server.ts';
import { isError, reasonOf } from '../util/reason.ts';
import { type Acceptance, acceptMail } from './catch/accept-mail.ts';
import { Chaos } from './catch/chaos.ts';
import { receiverCertificate, type SmtpAddress, startReceiver } from './catch/receiver.ts';
import { emulationRoutes } from './emulation-routes.ts';
import { type MailboxOptions, pageUrl, type ResolvedMailboxOptions, resolveMailboxOptions } from './mailbox-options.ts';
import { Previews } from './previews.ts';
import { MailRelease } from './release.ts';
import type { Arrival } from './store/caught-mail.ts';
import { FolderStorage, MemoryStorage } from './store/mail-storage.ts';
import { MailStore, type StoreChange } from './store/mail-store.ts';
import { parseSearch } from './store/search.ts';
import { EventStream } from './web/event-stream.ts';
import { mailboxRoutes } from './web/mailbox-routes.ts';
import { messageRoutes } from './web/message-routes.ts';
import { Router } from './web/router.ts';
import { WebServer } from './web/web-server.ts';

/** Mails in one event; a page that misses some reads the list again. */
const MAX_IN_EVENT = 200;

/**
 * Starts a development mailbox: it catches mail over SMTP and from the backend `mailbox`, and shows it in a page.
 *
 * @throws {ConfigurationError} `invalid-option` for a wrong option, a port that is taken, and in production without `allowProduction`.
 */
export async function startMailbox(options: MailboxOptions = {}): Promise<Mailbox> {
  const mailbox = new MailboxServer(resolveMailboxOptions(options));
  await mailbox.listen();
  return mailbox;
}

/** A running development mailbox. */
export interface Mailbox extends AsyncDisposable {
  /** The URL of the page and the API, such as `http://127.0.0.1:8025`. */
  readonly url: string;
  /** Where mail is received by SMTP; null when the mailbox was started without a receiver. */
  readonly smtp: SmtpAddress | null;
  /** Closes both servers; mails that are kept in memory are lost. */
  close(): Promise<void>;
}

/** The page, the API and the receiver over one store. */
export class MailboxServer implements Mailbox {
  readonly #options: ResolvedMailboxOptions;
  readonly #store: MailStore;
  readonly #chaos: Chaos;
  readonly #events: EventStream<StoreChange>;
  readonly #previews: Previews;
  readonly #web: WebServer;
  #smtp: SmtpServer | null = null;

  constructor(options: ResolvedMailboxOptions) {
    this.#options = options;
    this.#store = openStore(options);
    this.#chaos = new Chaos(options.chaos);
    this.#events = new EventStream((changes) => ({ ...merge(changes), ...this.#counts() }));
    this.#store.subscribe((change) => this.#events.push(change));
    this.#previews = new Previews(options.previews, () => this.#events.emit('previews', {}));
    const release = options.release === null ? null : new MailRelease(options.release);
    const parts = {
      chaos: this.#chaos,
      events: this.#events,
      previews: this.#previews,
      release,
      page: () => ({ host: options.host, port: this.#web.port }),
      smtp: () => this.smtp,
    };
    const routes = {
      ...messageRoutes(this.#store, this.#chaos, release),
      ...mailboxRoutes(parts),
      ...emulationRoutes(this.#store, this.#chaos),
    };
    // A mail arrives as base64 in JSON; the rest is for its envelope.
    this.#web = new WebServer(new Router(routes, options.maxSize * 1.4 + 1_000_000), options.allowedHosts);
  }

  get url(): string {
    return pageUrl(this.#options.host, this.#web.port);
  }

  get smtp(): SmtpAddress | null {
    const server = this.#smtp;
    return server && { host: server.host, port: server.port, startTls: server.certificate !== null };
  }

  /** Starts both servers. */
  async listen(): Promise<void> {
    const { host, port, smtpPort, maxSize } = this.#options;
    const tls = smtpPort === null ? null : await receiverCertificate(this.#options.tls);
    await this.#web.listen(host, port).catch((error: unknown) => {
      throw portError('port', port, error);
    });
    if (smtpPort === null) return;
    try {
      this.#smtp = await startReceiver(this.#store, this.#chaos, { host, port: smtpPort, tls, maxSize });
    } catch (error) {
      await this.close();
      throw portError('smtpPort', smtpPort, error);
    }
  }

  /** Accepts a mail from the mailbox backend. */
  accept(arrival: Arrival): Acceptance {
    return acceptMail(this.#store, this.#chaos, arrival);
  }

  /** Lets the process exit while the mailbox is open. */
  unref(): void {
    this.#web.unref();
    this.#smtp?.unref();
  }

  async close(): Promise<void> {
    this.#events.close();
    this.#previews.close();
    await Promise.all([this.#web.close(), this.#smtp?.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #counts(): { readonly total: number; readonly unread: number } {
    const { total, unread } = this.#store.list({ matcher: parseSearch(''), limit: 0 });
    return { total, unread };
  }
}

function openStore(options: ResolvedMailboxOptions): MailStore {
  const { folder } = options;
  if (folder === null) return new MailStore(new MemoryStorage(), options);
  try {
    return new MailStore(new FolderStorage(folder, warn), options);
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new ConfigurationError('invalid-option', `mailbox: the folder ${folder} cannot be used: ${reason}`, {
      cause,
    });
  }
}

function warn(text: string): void {
  process.emitWarning(`mailbox: ${text}`, { code: 'AMSDAL_MAIL_MAILBOX' });
}

function merge(changes: readonly StoreChange[]): StoreChange {
  return {
    added: changes.flatMap(({ added }) => added).slice(-MAX_IN_EVENT),
    removed: changes.flatMap(({ removed }) => removed),
    changed: changes.flatMap(({ changed }) => changed).slice(-MAX_IN_EVENT),
  };
}

function portError(option: string, port: number, cause: unknown): unknown {
  if (!(isError(cause) && 'code' in cause)) return cause;
  if (!('syscall' in cause))
    return new ConfigurationError(
      'invalid-option',
      `mailbox: key and certificate of tls cannot be used: ${cause.message}`,
      { cause },
    );
  const reason =
    cause.code === 'EADDRINUSE' ? 'is taken, perhaps by another mailbox' : `cannot be listened on (${cause.code})`;
  return new ConfigurationError('invalid-option', `mailbox: port ${port} ${reason}; choose another ${option}`, {
    cause,
  });
}
