import type { TracingChannel } from 'node:diagnostics_channel';
import { EmailError } from '../model/errors.ts';
import { isError } from '../util/reason.ts';

/** An error as traced: without its text, which may quote addresses. */
export interface TracedError {
  /** The class, such as `SendError`. */
  readonly name: string;
  /** The code of an EmailError; null for any other error. */
  readonly code: string | null;
  /** The phase of an EmailError. */
  readonly phase: string | null;
  /** The server's reply code, if one caused it. */
  readonly reply: number | null;
}

/** The context of every traced operation. */
export interface TraceContext {
  /** Why it failed; null while it runs and when it succeeded. */
  error: TracedError | null;
}

/**
 * A tracing channel of node:diagnostics_channel with its five events, `tracing:NAME:start` and so on; costs one comparison
 * without listeners.
 */
export class Tracer<C extends TraceContext> {
  readonly #name: string;
  #opened: TracingChannel<C, C> | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  /** Node loads the module when a program first sends. */
  get #channel(): TracingChannel<C, C> {
    this.#opened ??= process.getBuiltinModule('node:diagnostics_channel').tracingChannel<C, C>(this.#name);
    return this.#opened;
  }

  /** Whether there are listeners; callers check this first. */
  get isActive(): boolean {
    return this.#channel.hasSubscribers;
  }

  /** Begins an operation, to which everything that `run` starts belongs; {@link end} ends it. */
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

  /** Traces the promise of `run`; `note` adds its outcome or error to the context. */
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

/** The traced facts of an error. */
export function tracedError(error: unknown): TracedError {
  if (error instanceof EmailError) {
    return { name: error.name, code: error.code, phase: error.phase, reply: error.reply?.code ?? null };
  }
  return { name: isError(error) ? error.name : typeof error, code: null, phase: null, reply: null };
}
