import type { Awaitable } from '../../events/mail-event.ts';
import { ConfigurationError, type EmailError } from '../../model/errors.ts';
import type { MessageResult } from '../../model/status.ts';
import type { DeliveryFilter } from '../filter.ts';
import { type DeliveryResult, type Job, toEmailError } from '../job.ts';
import { jobOf, prepare } from './prepare.ts';
import { type BackendFacts, type MessageInput, type Prepared, readInput } from './read-input.ts';
import { settle, unanswered } from './settle.ts';
import { tellListeners } from './tell-listeners.ts';

/** One blocking call: validation, hooks and results in the caller's thread, whoever delivers. */
export class SyncCall {
  readonly jobs: readonly Job[];
  readonly #backend: BackendFacts;
  readonly #prepared: readonly Prepared[];
  readonly #refused: readonly MessageResult[];
  #callError: EmailError | null = null;

  constructor(
    backend: BackendFacts,
    filters: readonly DeliveryFilter[],
    messages: Iterable<MessageInput>,
    lenient: boolean,
  ) {
    this.#backend = backend;
    const prepared: Prepared[] = [];
    const refused: MessageResult[] = [];
    let index = 0;
    for (const input of messages) {
      const outcome = insistOnSync(prepare(backend, filters, readInput(backend, input, index++, lenient), true));
      if (outcome.kind === 'prepared') prepared.push(outcome);
      else refused.push(outcome.message === null ? outcome.result : this.#tell(outcome.message, outcome.result));
    }
    this.#prepared = prepared;
    this.#refused = refused;
    this.jobs = prepared.map((ready) => jobOf(ready, undefined));
  }

  /** What went wrong beside the messages: a listener that failed after the send. */
  get callError(): EmailError | null {
    return this.#callError;
  }

  /** Every message's result, in the order given. */
  settle(delivered: readonly DeliveryResult[]): readonly MessageResult[] {
    const answers = new Map(delivered.map((answer) => [answer.index, answer]));
    const results = this.#prepared.map((ready) => {
      const answer = answers.get(ready.index);
      return this.#tell(ready.message, answer ? settle(ready, answer) : unanswered(ready, undefined));
    });
    return [...results, ...this.#refused].sort((a, b) => a.index - b.index);
  }

  #tell(message: Prepared['message'], result: MessageResult): MessageResult {
    try {
      this.#callError ??= insistOnSync(tellListeners(this.#backend.name, message, result));
    } catch (error) {
      // The mail is sent by now: the call ends with the error, and the status beside it.
      this.#callError ??= toEmailError(error);
    }
    return result;
  }
}

function insistOnSync<T>(value: Awaitable<T>): T {
  if (!(value instanceof Promise)) return value;
  value.catch(() => {});
  throw new ConfigurationError(
    'not-blocking',
    'a listener is asynchronous, so a blocking call cannot wait for it: use sendMail or sendMessages, or make the listener synchronous',
  );
}
