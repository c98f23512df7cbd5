import type { Awaitable } from '../../events/mail-event.ts';
import { MessageError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import { type BackendFacts, type MessageInput, type ReadInput, readInput } from './read-input.ts';

/** What a call is given to send. */
export type Messages = Iterable<MessageInput> | AsyncIterable<MessageInput>;

/** The messages of one call, read one by one as they are needed. */
export class MessageSource {
  readonly #backend: BackendFacts;
  readonly #lenient: boolean;
  readonly #list: readonly MessageInput[] | null;
  #iterator: Iterator<MessageInput> | AsyncIterator<MessageInput> | null = null;
  #first: ReadInput | null = null;
  #index = 0;

  /** @throws {MessageError} `invalid-message` when `messages` are no messages at all. */
  constructor(backend: BackendFacts, messages: Messages, lenient: boolean) {
    this.#backend = backend;
    this.#lenient = lenient;
    this.#list = Array.isArray(messages) ? messages : null;
    if (this.#list === null) this.#iterator = iteratorOf(messages);
    // One message is read at once, so that the caller may reuse its objects; more are read as they are needed.
    else if (this.#list.length === 1) this.#first = this.#makeListed(0);
  }

  /** The message when it is the only one and sound: all that must be kept of a call that waits. */
  get only(): EmailMessage | null {
    const read = this.#first;
    return read?.kind === 'readable' && read.invalid.length === 0 ? read.message : null;
  }

  /** How many messages there are, when they were given as an array: only then is it known before the end. */
  get total(): number | null {
    return this.#list?.length ?? null;
  }

  /** The place of the next message. */
  get index(): number {
    return this.#index;
  }

  get isExhausted(): boolean {
    return this.#list === null ? this.#iterator === null : this.#index >= this.#list.length;
  }

  /** The next message, made or refused; null at the end. Throws what the caller's own iterator throws. */
  read(): Awaitable<ReadInput | null> {
    if (this.#list !== null) return this.readList();
    const step = this.#iterator?.next();
    if (step === undefined) return null;
    return 'then' in step ? Promise.resolve(step).then((awaited) => this.#onStep(awaited)) : this.#onStep(step);
  }

  /** {@link read} for messages given as an array. */
  readList(): ReadInput | null {
    if (this.#list === null || this.isExhausted) return null;
    const made = this.#first ?? this.#makeListed(this.#index);
    this.#first = null;
    this.#index++;
    return made;
  }

  /** Reads no further. */
  close(): void {
    const iterator = this.#iterator;
    this.#iterator = null;
    try {
      // What fails while it is closed has nothing left to say: every message that was read has its result.
      if (iterator?.return) Promise.resolve(iterator.return()).catch(() => {});
    } catch {}
  }

  #onStep({ done, value }: IteratorResult<MessageInput>): ReadInput | null {
    if (done !== true) return this.#make(value, this.#index++);
    this.#iterator = null;
    return null;
  }

  #makeListed(index: number): ReadInput {
    return this.#make(this.#list?.[index] as MessageInput, index); // a hole is refused with what else is no message
  }

  #make(input: MessageInput, index: number): ReadInput {
    return readInput(this.#backend, input, index, this.#lenient);
  }
}

function iteratorOf(messages: Messages): Iterator<MessageInput> | AsyncIterator<MessageInput> {
  if (typeof messages === 'object' && messages !== null) {
    if (Symbol.asyncIterator in messages) return messages[Symbol.asyncIterator]();
    if (Symbol.iterator in messages) return messages[Symbol.iterator]();
  }
  throw new MessageError([{ path: 'messages', code: 'type', message: 'give an array of messages: [message]' }]);
}
