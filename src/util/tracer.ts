import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import { EmailError } from '../errors.ts';
import { isError } from './reason.ts';

/** An error as it is traced: no text, since that may quote addresses. */
export interface TracedError {
  /** The class, as `SendError`. */
  readonly name: string;
  /** The code of an EmailError; null for any other error. */
  readonly code: string | null;
  /** The phase of an EmailError. */
  readonly phase: string | null;
  /** The reply code of the server, if one caused it. */
  readonly reply: number | null;
}

/** What every traced operation has. */
export interface TraceContext {
  /** Why it failed; null while it runs, and when it did not. */
  error: TracedError | null;
}

/**
 * One channel of node:diagnostics_channel with its five events, `tracing:NAME:start` and so on; costs one comparison while
 * nobody listens.
 */
export class Tracer<C extends TraceContext> {
  readonly #channel: TracingChannel<C, C>;

  constructor(name: string) {
    this.#channel = tracingChannel<C, C>(name);
  }

  /** Whether anybody listens; who traces asks first. */
  get isActive(): boolean {
    return this.#channel.hasSubscribers;
  }

  /** Begins an operation: what `run` starts belongs to it. The operation ends with {@link end}. */
  begin<T>(context: C, run: () => T): T {
    return this.#channel.start.runStores(context, () => {
      try {
        return run();
      } finally {
        this.#channel.end.publish(context);
      }
    });
  }

  /** Ends an operation. */
  end(context: C): void {
    if (context.error !== null) this.#channel.error.publish(context);
    this.#channel.asyncStart.publish(context);
    this.#channel.asyncEnd.publish(context);
  }

  /** Traces what `run` promises; `note` adds its outcome, or what an error tells, to the context. */
  trace<T>(context: C, run: () => Promise<T>, note: (outcome: T | undefined, error: unknown) => void): Promise<T> {
    return this.begin(context, run).then(
      (outcome) => {
        note(outcome, null);
        this.end(context);
        return outcome;
      },
      (error: unknown) => {
        context.error = tracedError(error);
        note(undefined, error);
        this.end(context);
        throw error;
      },
    );
  }
}

/** What is traced of an error. */
export function tracedError(error: unknown): TracedError {
  if (error instanceof EmailError) {
    return { name: error.name, code: error.code, phase: error.phase, reply: error.reply?.code ?? null };
  }
  return { name: isError(error) ? error.name : typeof error, code: null, phase: null, reply: null };
}
