import { clearTimeout, setTimeout } from 'node:timers';
import { BACKEND_OPTIONS, type BackendOptions } from '../../backend/backend.ts';
import { type DeliveryContext, type DeliveryResult, endedBefore, failedDelivery, type Job } from '../../backend/job.ts';
import { LocalBackend } from '../../backend/local-backend.ts';
import { PlannedOutcomes } from '../../backend/planned-outcomes.ts';
import { getConnection } from '../../connection/connection.ts';
import { composeMessage } from '../../mime/compose/compose.ts';
import type { EmailError } from '../../model/errors.ts';
import { ALL_FEATURES, type Feature } from '../../model/features.ts';
import type { AnyOptionTable } from '../../options/option-table.ts';
import { pause } from '../../util/pause.ts';
import { InboxMessage } from './inbox-message.ts';
import {
  checkMatch,
  checkText,
  describeMatch,
  describeMessages,
  isMatch,
  isRecipient,
  type MessageMatch,
} from './message-match.ts';
import { type PlannedFailure, plannedError } from './planned-failure.ts';

/** Delivers jobs of another connection to an inbox. */
export let deliverInto: (
  inbox: Inbox,
  jobs: AsyncIterable<Job>,
  context: DeliveryContext,
) => AsyncIterable<DeliveryResult>;
/** {@link deliverInto} for blocking calls. */
export let deliverIntoSync: (inbox: Inbox, jobs: readonly Job[]) => readonly DeliveryResult[];

/** The settings of {@link Inbox.waitFor}. */
export interface WaitOptions {
  /** How long to wait, in milliseconds; default 5,000. */
  readonly timeoutMs?: number;
}

/**
 * A connection for tests, which sends nothing and keeps each mail as its recipients would have got it.
 *
 * Pass it to `sendMail` or `setDefaultConnection`, or let `useInbox()` make one for the current test.
 */
export class Inbox extends LocalBackend {
  /** The options of the backend: how they are checked and read from environment variables. */
  static readonly optionTable: AnyOptionTable = BACKEND_OPTIONS;

  readonly name = 'inbox';
  protected readonly features: ReadonlySet<Feature> = ALL_FEATURES;
  readonly #outcomes = new PlannedOutcomes();
  readonly #watchers = new Set<() => void>();
  #delayMs = 0;
  #messages: InboxMessage[] = [];

  /** The sent messages that reached anybody, oldest first. */
  get messages(): readonly InboxMessage[] {
    return this.#messages;
  }

  /** The latest message, or null. */
  get last(): InboxMessage | null {
    return this.messages.at(-1) ?? null;
  }

  /** The messages that this address got, in To, Cc or Bcc, oldest first. */
  to(address: string): readonly InboxMessage[] {
    checkText('the address', address);
    return this.messages.filter((message) => isRecipient(message, address));
  }

  /** The first message that matches, or null. */
  find(match: MessageMatch): InboxMessage | null {
    checkMatch(match);
    return this.messages.find((message) => isMatch(message, match)) ?? null;
  }

  /**
   * Waits for the first message that matches, sent by code that the test cannot await. Not affected by fake timers.
   *
   * @throws {Error} after `timeoutMs`; it lists what was sent.
   */
  waitFor(match: MessageMatch = {}, options: WaitOptions = {}): Promise<InboxMessage> {
    const { timeoutMs = 5_000 } = options;
    return new Promise((resolve, reject) => {
      checkMatch(match);
      const look = (): boolean => {
        try {
          const found = this.#messages.find((message) => isMatch(message, match));
          if (found === undefined) return false;
          resolve(found);
        } catch (error) {
          reject(error); // the test's own match function threw
        }
        stop();
        return true;
      };
      const stop = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const timer = setTimeout(() => {
        stop();
        try {
          const sent = describeMessages(this.messages); // throws if it is another test's inbox
          reject(new Error(`waited ${timeoutMs} ms for ${describeMatch(match)}; ${sent}`));
        } catch (error) {
          reject(error);
        }
      }, timeoutMs);
      if (!look()) this.#watchers.add(look);
    });
  }

  /** Discards the messages, refusals, failures and the delay. */
  clear(): void {
    this.#messages = [];
    this.#outcomes.clear();
    this.#delayMs = 0;
  }

  /** Fails the next message for all its recipients; further calls apply to later messages. */
  failNext(failure: EmailError | PlannedFailure): void {
    this.#outcomes.failNext(plannedError(failure));
  }

  /**
   * Refuses a recipient from now on, in any spelling of its address, as a server would with this reply to RCPT.
   *
   * @param code 400 to 599; default 550.
   * @param enhancedCode The enhanced status code; default 5.1.1 (no such user) for 550, and null, none, for others.
   */
  refuse(
    address: string,
    code = 550,
    enhancedCode: string | null = code === 550 ? '5.1.1' : null,
    text = 'refused',
  ): void {
    this.#outcomes.refuse(address, { code, enhancedCode, text });
  }

  /** Delays every message from now on by that many milliseconds; blocking calls are not delayed. */
  delay(milliseconds: number): void {
    this.#delayMs = milliseconds;
  }

  static {
    deliverInto = (inbox, jobs, context) => inbox.deliver(jobs, context);
    deliverIntoSync = (inbox, jobs) => inbox.deliverSync(jobs);
  }

  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    if (this.#delayMs > 0 && !(await pause(this.#delayMs, job.signal))) {
      return failedDelivery(job, endedBefore('the message was handed over', job.signal));
    }
    return super.deliverOne(job);
  }

  protected override deliverNow(job: Job, messageId: string): DeliveryResult {
    const { message } = job;
    const { result, reached } = this.#outcomes.take(job, messageId);
    if (reached.length === 0) return result;
    this.#messages.push(new InboxMessage(message, composeMessage(message, { messageId }), reached));
    for (const look of this.#watchers) look();
    return result;
  }
}

/**
 * Makes an inbox to pass to the code under test as its connection.
 *
 * @throws {ConfigurationError} `invalid-option`, `unknown-option`.
 */
export function createInbox(options: BackendOptions = {}): Inbox {
  return getConnection(Inbox, options);
}
