import { BACKEND_OPTIONS, type BackendOptions, EmailBackend } from '../../backend/backend.ts';
import type { DeliveryResult, Job } from '../../backend/job.ts';
import { ALL_FEATURES, type Feature } from '../../model/features.ts';
import type { AnyOptionTable, OptionTable } from '../../options/option-table.ts';
import { refuseInWorkerd } from '../../options/refuse-in-workerd.ts';
import { type ResolvedMailboxOptions, resolveMailboxOptions } from '../mailbox-options.ts';

/** Options of {@link MailboxBackend}; each as in {@link MailboxOptions}. */
export interface MailboxBackendOptions extends BackendOptions {
  /** The address of the page; default 127.0.0.1. */
  readonly host?: string;
  /** The port of the page; default 8025. */
  readonly port?: number;
  /** The port that receives mail by SMTP; default 1025. */
  readonly smtpPort?: number;
  /** The folder where mails are kept across restarts; default none, they are kept in memory. */
  readonly folder?: string;
  /** Lets it run where NODE_ENV is `production`; default false. */
  readonly allowProduction?: boolean;
}

type Engine = typeof import('./deliver.ts');

/**
 * Catches every mail instead of sending it and shows it in a page, by default at http://127.0.0.1:8025.
 *
 * This process serves the page until it exits, unless a mailbox already runs at that address, which then gets the mails.
 */
export class MailboxBackend extends EmailBackend {
  /** The options it takes, for `getConnection`, URLs and the environment. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...BACKEND_OPTIONS,
      host: { type: 'string' },
      port: { type: 'integer', min: 0, max: 65_535 },
      smtpPort: { type: 'integer', min: 0, max: 65_535 },
      folder: { type: 'string' },
      allowProduction: { type: 'boolean' },
    }) satisfies OptionTable<MailboxBackendOptions>)();

  static override readonly delivers: boolean = false;
  static override readonly about: string = 'shows mails in the development mailbox and sends none';

  readonly name = 'mailbox';
  protected readonly features: ReadonlySet<Feature> = ALL_FEATURES;
  protected override readonly concurrency: number = 8;
  protected override readonly awaitsCommit = true;
  readonly #options: ResolvedMailboxOptions;
  #engine: Engine | null = null;

  /** @throws {ConfigurationError} `invalid-option` for a wrong option, and in production without `allowProduction`. */
  constructor(options: MailboxBackendOptions = {}) {
    const { defaultFrom: _, onUnsupported: __, deadlineMs: ___, ...own } = options;
    super(options);
    refuseInWorkerd('invalid-backend', 'the mailbox cannot run', 'nothing listens on a port; use console or dummy');
    this.#options = resolveMailboxOptions(own);
  }

  protected override async connect(): Promise<void> {
    await (await this.#load()).ready(this.#options);
  }

  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    return (await this.#load()).deliver(job, this.#options);
  }

  protected override deliverSync(jobs: readonly Job[]): readonly DeliveryResult[] {
    // Where this thread serves no mailbox, a worker thread finds or starts one.
    return this.#engine?.deliverSync(jobs, this.#options) ?? super.deliverSync(jobs);
  }

  async #load(): Promise<Engine> {
    this.#engine ??= await import('./deliver.ts');
    return this.#engine;
  }
}
