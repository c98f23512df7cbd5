import { thrownHere } from '../../model/error-copies.ts';
import type { EmailError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import type { MessageResult, SendStatus } from '../../model/status.ts';
import { addAbortListener, removeAbortListener } from '../../util/abort-listeners.ts';
import type { SendOptions } from '../backend.ts';
import { toEmailError } from '../job.ts';
import type { CallHost } from './call.ts';
import { CallEnd } from './call-end.ts';
import { conclude } from './conclusion.ts';
import type { Gate, Waiting } from './gate.ts';
import { type CallEngine, callEngine } from './late-engine.ts';
import { MessageSource } from './message-source.ts';

/** Sends messages when the gate has room, and says what became of all of them. */
export function sendWhenAdmitted(host: CallHost, source: MessageSource, options: SendOptions): Promise<SendStatus> {
  return new Promise((resolve) => new SendCall(host, source, options, resolve).queue());
}

/** One call of `sendMessages`: waits for its turn, collects all results, and ends in a status or an error. */
class SendCall implements Waiting {
  readonly #host: CallHost;
  /** A hundred thousand calls may wait, most of them with one message: no more is kept of it. */
  #messages: MessageSource | EmailMessage;
  readonly #options: SendOptions;
  readonly #resolve: (status: Promise<SendStatus>) => void;
  /** What ends it before it is through, waiting included; null for a call that nothing can end. */
  #callEnd: CallEnd | null = null;
  #isAdmitted = false;
  /** For a call that waits and that something can end. */
  #stopWaiting: (() => void) | null = null;
  /** For a call that waits. */
  #goOn: ((gate: Gate | null) => void) | null = null;

  constructor(
    host: CallHost,
    source: MessageSource,
    options: SendOptions,
    resolve: (status: Promise<SendStatus>) => void,
  ) {
    this.#host = host;
    this.#messages = source;
    this.#options = options;
    this.#resolve = resolve;
  }

  /** Starts as soon as the gate has room; a call that is aborted while it waits is answered at once, whoever is before it. */
  queue(): void {
    const callEnd = CallEnd.of(this.#options.signal, this.#host.options.deadlineMs);
    this.#callEnd = callEnd;
    if (callEnd?.signal.aborted) {
      this.#start(null);
      return;
    }
    this.#host.gate.queue(this);
    if (this.#isAdmitted) return;
    this.#wait();
    if (this.#messages instanceof MessageSource) this.#messages = this.#messages.only ?? this.#messages;
    if (callEnd === null) return;
    const onEnd = () => this.#start(null);
    addAbortListener(callEnd.signal, onEnd);
    this.#stopWaiting = () => removeAbortListener(callEnd.signal, onEnd);
  }

  /** It goes on where it was made, so that listeners find what AsyncLocalStorage has for who sends. */
  #wait(): void {
    const { traffic } = this.#host;
    traffic.callStarted();
    const turn = new Promise<Gate | null>((resolve) => {
      this.#goOn = resolve;
    });
    void turn.then((gate) => {
      this.#go(gate);
      traffic.callEnded(); // it counts by itself from now on
    });
  }

  enter(): void {
    const { gate } = this.#host;
    if (this.#isAdmitted) gate.leave();
    else this.#start(gate);
  }

  #start(gate: Gate | null): void {
    this.#isAdmitted = true;
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    if (this.#goOn === null) this.#go(gate);
    else this.#goOn(gate);
  }

  /** What it is made of may have to be loaded yet: it is under way for that time, too. */
  #go(gate: Gate | null): void {
    const run = () => this.#run(gate);
    this.#resolve(callEngine.loaded === null ? this.#host.traffic.during(run) : run());
  }

  /** The functions that await the call are in the stack of what is thrown here: its promise follows this one from the start. */
  async #run(gate: Gate | null): Promise<SendStatus> {
    const { failSilently = false } = this.#options;
    const messages = this.#messages;
    const source =
      messages instanceof MessageSource ? messages : new MessageSource(this.#host, [messages], failSilently);
    let results: MessageResult[] = [];
    let callError: EmailError | null = null;
    try {
      const { Call } = callEngine.loaded ?? (await this.#loadEngine(source, gate));
      results = new Array(source.total ?? 0);
      const call = new Call(this.#host, source, this.#options, gate, this.#callEnd);
      for await (const result of call) results[result.index] = result;
    } catch (error) {
      callError = toEmailError(error);
    }
    try {
      return conclude(results, failSilently, callError);
    } catch (error) {
      throw thrownHere(error);
    }
  }

  /** For a call that the gate did not let wait for it, or that meets what kept it from being loaded. */
  async #loadEngine(source: MessageSource, gate: Gate | null): Promise<CallEngine> {
    try {
      return await callEngine.load();
    } catch (error) {
      gate?.leave();
      source.close();
      this.#callEnd?.clear();
      throw error;
    }
  }
}
