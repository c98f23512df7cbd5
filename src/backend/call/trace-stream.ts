import type { DeliveryStatus, MessageResult } from '../../model/status.ts';
import { tracedError } from '../../options/tracer.ts';
import { countRecipients, type SendTrace, sendTrace, tracer } from './trace-send.ts';

/** Traces a stream, from the first result that is asked for to the last one that is taken. */
export function traceStream(
  backend: string,
  messages: unknown,
  stream: AsyncIterableIterator<MessageResult>,
): AsyncIterableIterator<MessageResult> {
  return new TracedStream(sendTrace(backend, messages, false), stream);
}

/** Passes on at once what is asked of it: a generator would be left only after the result that is under way. */
class TracedStream implements AsyncIterableIterator<MessageResult> {
  readonly #context: SendTrace;
  readonly #stream: AsyncIterableIterator<MessageResult>;
  readonly #recipients: Partial<Record<DeliveryStatus, number>> = {};
  #count = 0;
  #state: 'new' | 'running' | 'ended' = 'new';

  constructor(context: SendTrace, stream: AsyncIterableIterator<MessageResult>) {
    this.#context = context;
    this.#stream = stream;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<MessageResult>> {
    try {
      const step = await this.#ask();
      if (step.done === true) this.#end();
      else {
        this.#count++;
        countRecipients(this.#recipients, step.value);
      }
      return step;
    } catch (error) {
      this.#context.error = tracedError(error);
      this.#end();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<MessageResult>> {
    try {
      return (await this.#stream.return?.()) ?? { done: true, value: undefined };
    } finally {
      this.#end();
    }
  }

  #ask(): Promise<IteratorResult<MessageResult>> {
    if (this.#state !== 'new') return this.#stream.next();
    this.#state = 'running';
    return tracer.begin(this.#context, () => this.#stream.next());
  }

  #end(): void {
    const hasBegun = this.#state === 'running';
    this.#state = 'ended';
    if (!hasBegun) return;
    this.#context.messages = this.#count;
    this.#context.recipients = this.#recipients;
    tracer.end(this.#context);
  }
}
