import { EmailBackend, type Verification } from '../backend/backend.ts';
import type { DeliveryResult, Job } from '../backend/job.ts';
import { ConfigurationError } from '../model/errors.ts';
import type { Feature } from '../model/features.ts';
import { LateModule } from '../options/late-module.ts';
import type { AnyOptionTable } from '../options/option-table.ts';
import { isNamed, type NamedConnection } from '../wrappers/parts.ts';
import { entranceOptions, outboxFeatures } from './entrance.ts';
import type { Outbox } from './outbox.ts';
import { laneRates, OUTBOX_OPTIONS, type OutboxOptions } from './outbox-options.ts';

/** What writes down, loaded with the first mail. */
const engine = /* @__PURE__ */ new LateModule(() => import('./engine.ts'), './outbox/engine', import.meta.url);

/**
 * Writes mails down instead of sending them: every recipient is `queued` as soon as they are on disk. {@link OutboxBackend.outbox}
 * has what sends them, `outbox.work()`, as `npx amsdal-mail worker` does.
 */
export class OutboxBackend extends EmailBackend {
  /** What options are checked against, and read from URLs. */
  static readonly optionTable: AnyOptionTable = OUTBOX_OPTIONS;
  static override readonly about: string = 'writes mails down for a worker to send';

  override readonly name = 'outbox';
  protected override readonly features: ReadonlySet<Feature>;
  readonly #options: OutboxOptions;
  readonly #connection: EmailBackend;
  #outbox: Promise<Outbox> | null = null;

  /** @throws {ConfigurationError} `invalid-option`, `unknown-option`, `missing-option`, `conflicting-options`, `invalid-backend` */
  constructor(options: OutboxOptions) {
    const connection = connectionOf(options);
    super({ ...options, connection, ...entranceOptions({ ...options, connection }) } as OutboxOptions); // all of them are checked
    laneRates(options.lanes ?? {}); // at fault now, not with the first mail
    this.features = outboxFeatures(connection);
    if (options.store === undefined) {
      const text = "the outbox needs a store: { store: sqliteStore('mail.db') }, in a URL outbox:sqlite:./mail.db";
      throw new ConfigurationError('missing-option', text, { option: 'store' });
    }
    this.#options = options;
    this.#connection = connection;
  }

  /**
   * The outbox itself.
   *
   * @throws {ConfigurationError} when its store cannot be opened.
   */
  outbox(): Promise<Outbox> {
    this.#outbox ??= this.#open().catch((error: unknown) => {
      this.#outbox = null; // the next mail tries again
      throw error;
    });
    return this.#outbox;
  }

  /**
   * Checks that mails could be written down and sent: the store, and the connection behind it.
   *
   * @throws {EmailConnectionError | ConfigurationError} when they could not.
   */
  override async verify(options: { readonly signal?: AbortSignal } = {}): Promise<Verification> {
    await (await this.outbox()).list({ limit: 1 });
    const { backend: via, details } = await this.#connection.verify(options);
    return { backend: this.name, details: { via, ...details } };
  }

  async #open(): Promise<Outbox> {
    const { Outbox: Opened, openStore } = await engine.load();
    const { store } = this.#options;
    return new Opened({
      ...this.#options,
      connection: this.#connection,
      store: typeof store === 'string' ? openStore(store) : store,
    });
  }

  protected override async *deliver(jobs: AsyncIterable<Job>): AsyncGenerator<DeliveryResult, void, undefined> {
    yield* (await this.outbox()).deliver(jobs);
  }

  protected override async disconnect(): Promise<void> {
    const opened = this.#outbox;
    this.#outbox = null;
    if (opened !== null) await (await opened).close();
  }
}

/** @throws {ConfigurationError} `missing-option` without one; `invalid-backend` for text, which getConnection makes one of. */
function connectionOf({ connection }: Partial<OutboxOptions>): EmailBackend {
  const given: unknown = connection;
  if (given === undefined) {
    const text = "the outbox needs a connection to send over: { connection: '@smtp' }, in a URL via=@smtp";
    throw new ConfigurationError('missing-option', text, { option: 'connection' });
  }
  if (typeof given === 'string') {
    const text =
      "outbox: getConnection('outbox', ...) makes a connection of a name or URL, the class takes what it makes";
    throw new ConfigurationError('invalid-backend', text, { option: 'connection' });
  }
  const made = given as EmailBackend | NamedConnection; // what is none, the base class refuses
  return isNamed(made) ? made.connection : made;
}
