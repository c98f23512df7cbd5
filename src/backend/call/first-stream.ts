import type { MessageResult } from '../../model/status.ts';
import { type CallEngine, callEngine } from './late-engine.ts';
import type { MessageSource } from './message-source.ts';
import type { Traffic } from './traffic.ts';

type Results = AsyncIterableIterator<MessageResult>;

/** A stream that begins before the engine of calls is loaded: it is loaded when the first result is asked for. */
export class FirstStream implements Results {
  readonly #traffic: Traffic;
  readonly #source: MessageSource;
  readonly #begin: (engine: CallEngine) => Results;
  #results: Promise<Results> | null = null;

  constructor(traffic: Traffic, source: MessageSource, begin: (engine: CallEngine) => Results) {
    this.#traffic = traffic;
    this.#source = source;
    this.#begin = begin;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<MessageResult>> {
    return this.#traffic.during(async () => (await this.#load()).next());
  }

  return(): Promise<IteratorResult<MessageResult>> {
    return this.#traffic.during(
      async () => (await (await this.#load()).return?.()) ?? { done: true, value: undefined },
    );
  }

  #load(): Promise<Results> {
    this.#results ??= callEngine.load().then(this.#begin, (error) => {
      this.#source.close();
      throw error;
    });
    return this.#results;
  }
}
