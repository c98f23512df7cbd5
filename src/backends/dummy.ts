import { BACKEND_OPTIONS, type BackendOptions } from '../backend/backend.ts';
import type { DeliveryResult, Job } from '../backend/job.ts';
import { LocalBackend } from '../backend/local-backend.ts';
import { PlannedOutcomes } from '../backend/planned-outcomes.ts';
import type { EmailError } from '../model/errors.ts';
import { ALL_FEATURES, type Feature } from '../model/features.ts';
import type { EmailMessage } from '../model/message.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link DummyBackend}. */
export interface DummyOptions extends BackendOptions {
  /** Keeps every message in `messages`; default false. */
  readonly store?: boolean;
}

/** Sends nothing; for tests. Every recipient is `sent`, unless `refuse` or `failNext` was called. */
export class DummyBackend extends LocalBackend {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...BACKEND_OPTIONS,
      store: { type: 'boolean' },
    }) satisfies OptionTable<DummyOptions>)();

  static override readonly delivers: boolean = false;
  static override readonly about: string = 'sends nothing';

  readonly name = 'dummy';
  protected readonly features: ReadonlySet<Feature> = ALL_FEATURES;
  protected override readonly readsContent: boolean = false;
  readonly #store: boolean;
  readonly #outcomes = new PlannedOutcomes();
  #messages: EmailMessage[] = [];

  constructor(options: DummyOptions = {}) {
    super(options);
    this.#store = options.store ?? false;
  }

  /** The messages that reached at least one recipient, oldest first; empty without `store`. */
  get messages(): readonly EmailMessage[] {
    return this.#messages;
  }

  /** Forgets the messages, refusals and failures. */
  clear(): void {
    this.#messages = [];
    this.#outcomes.clear();
  }

  /**
   * Refuses a recipient from now on, however its address is written, as a server would with this reply to RCPT.
   *
   * @param code 400 to 599; default 550.
   * @param enhancedCode default `5.1.1` (no such user) for 550, null for other codes.
   */
  refuse(
    address: string,
    code = 550,
    enhancedCode: string | null = code === 550 ? '5.1.1' : null,
    text = 'refused',
  ): void {
    this.#outcomes.refuse(address, { code, enhancedCode, text });
  }

  /** Fails the next message with `error`, for all its recipients; several calls queue up. */
  failNext(error: EmailError): void {
    this.#outcomes.failNext(error);
  }

  protected override deliverNow(job: Job, messageId: string): DeliveryResult {
    const { result, reached } = this.#outcomes.take(job, messageId);
    if (this.#store && reached.length > 0) this.#messages.push(job.message);
    return result;
  }
}
