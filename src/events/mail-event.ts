import { ConfigurationError } from '../model/errors.ts';

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** Passes a context, the received one or a changed copy, to the rest of the chain and returns its result. */
export type Next<C> = (context: C) => Awaitable<C>;

/** One link of a chain: it may look, change the context, call `next`, or end the chain by returning without calling it. */
export type Listener<C> = (context: C, next: Next<C>) => Awaitable<C>;

/** What happens when a listener throws: `propagate` throws to the caller, `log` prints the error and continues, `silent` continues. */
export type ErrorStrategy = 'propagate' | 'log' | 'silent';

/** The position of a listener in its chain, and what its failure means. */
export interface ListenerOptions {
  /** The name others use in `before` and `after`; default: the function's name. */
  readonly name?: string;
  /** Higher runs first, equal priorities in the order of subscription; default 0. */
  readonly priority?: number;
  /** Names of listeners that must run after this one, whatever the priorities. */
  readonly before?: readonly string[];
  /** Names of listeners that must run before this one, whatever the priorities. */
  readonly after?: readonly string[];
  /** Default `propagate`. */
  readonly onError?: ErrorStrategy;
}

const STRATEGIES: ReadonlySet<string> = new Set<ErrorStrategy>(['propagate', 'log', 'silent']);

interface Subscription<C> extends Required<ListenerOptions> {
  readonly listener: Listener<C>;
}

/** A kind of event with its chain of listeners. */
export class MailEvent<C extends object> {
  /** The name in error texts. */
  readonly name: string;
  #subscriptions: readonly Subscription<C>[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Whether there are listeners; emitters check this first, so that an unused event costs one comparison. */
  get hasListeners(): boolean {
    return this.#subscriptions.length > 0;
  }

  /**
   * Adds a listener and returns the function that removes it.
   *
   * @throws {ConfigurationError} `invalid-option` when `before` and `after` contradict each other, `invalid-listener` when `listener` is not a function.
   */
  subscribe(listener: Listener<C>, options: ListenerOptions = {}): () => void {
    if (typeof listener !== 'function') {
      throw new ConfigurationError('invalid-listener', `${this.name}.subscribe takes a function (context, next)`);
    }
    if (options.onError !== undefined && !STRATEGIES.has(options.onError)) {
      const known = [...STRATEGIES].join(', ');
      throw new ConfigurationError('invalid-option', `onError must be one of ${known}, not '${options.onError}'`);
    }
    const subscription: Subscription<C> = {
      listener,
      name: options.name ?? listener.name,
      priority: options.priority ?? 0,
      before: options.before ?? [],
      after: options.after ?? [],
      onError: options.onError ?? 'propagate',
    };
    this.#subscriptions = inOrder(this.name, [...this.#subscriptions, subscription]);
    return () => {
      this.#subscriptions = this.#subscriptions.filter((other) => other !== subscription);
    };
  }

  /** Runs the chain on a frozen context and returns the result; a promise only when a listener returned one. */
  emit(context: C): Awaitable<C> {
    return this.#subscriptions.length === 0 ? context : runFrom(this.name, this.#subscriptions, 0, context);
  }
}

function runFrom<C extends object>(
  event: string,
  chain: readonly Subscription<C>[],
  index: number,
  context: C,
): Awaitable<C> {
  const subscription = chain[index];
  const frozen = Object.freeze(context);
  return subscription ? new Link(event, chain, index, subscription, frozen).run() : frozen;
}

/** One run of a listener, which knows whether a failure is the listener's own. */
class Link<C extends object> {
  readonly #event: string;
  readonly #chain: readonly Subscription<C>[];
  readonly #index: number;
  readonly #subscription: Subscription<C>;
  readonly #context: C;
  /** The result of the rest of the chain, which must not run twice. */
  #rest: (() => Awaitable<C>) | null = null;
  #restFailure: { readonly error: unknown } | null = null;

  constructor(
    event: string,
    chain: readonly Subscription<C>[],
    index: number,
    subscription: Subscription<C>,
    context: C,
  ) {
    this.#event = event;
    this.#chain = chain;
    this.#index = index;
    this.#subscription = subscription;
    this.#context = context;
  }

  run(): Awaitable<C> {
    try {
      const result = this.#subscription.listener(this.#context, (changed) => this.#passOn(changed));
      return result instanceof Promise
        ? result.then((context) => this.#requireContext(context)).catch((error: unknown) => this.#recover(error))
        : this.#requireContext(result);
    } catch (error) {
      return this.#recover(error);
    }
  }

  #passOn(context: C): Awaitable<C> {
    if (this.#rest !== null) throw this.#fault('called next twice');
    if (!isContext(context)) throw this.#fault('called next without a context: call next(context)');
    try {
      const result = runFrom(this.#event, this.#chain, this.#index + 1, context);
      this.#rest = () => result;
      if (result instanceof Promise) {
        result.catch((error: unknown) => {
          this.#restFailure = { error };
        });
      }
      return result;
    } catch (error) {
      this.#restFailure = { error };
      this.#rest = () => {
        throw error;
      };
      throw error;
    }
  }

  #recover(error: unknown): Awaitable<C> {
    const { onError, name } = this.#subscription;
    // This listener's strategy must not swallow a later listener's failure.
    if (onError === 'propagate' || this.#restFailure?.error === error) throw error;
    if (onError === 'log') console.error(`amsdal-mail: listener '${name}' of ${this.#event} failed:`, error);
    return this.#rest === null ? this.#passOn(this.#context) : this.#rest();
  }

  #requireContext(context: C): C {
    if (isContext(context)) return context;
    throw this.#fault('returned no context: return next(context), or the context to end the chain');
  }

  #fault(what: string): ConfigurationError {
    return new ConfigurationError(
      'invalid-listener',
      `listener '${this.#subscription.name}' of ${this.#event} ${what}`,
    );
  }
}

function isContext(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function inOrder<C>(event: string, subscriptions: readonly Subscription<C>[]): readonly Subscription<C>[] {
  const waiting = subscriptions.toSorted((a, b) => b.priority - a.priority);
  const ordered: Subscription<C>[] = [];
  while (waiting.length > 0) {
    const index = waiting.findIndex(
      (candidate) => !waiting.some((other) => other !== candidate && mustPrecede(other, candidate)),
    );
    const [ready] = waiting.splice(index, index < 0 ? 0 : 1);
    if (!ready) {
      const names = waiting.map(({ name }) => `'${name}'`).join(', ');
      throw new ConfigurationError(
        'invalid-option',
        `${event}: before and after of ${names} contradict each other; remove one of them`,
      );
    }
    ordered.push(ready);
  }
  return ordered;
}

function mustPrecede<C>(first: Subscription<C>, second: Subscription<C>): boolean {
  return first.before.includes(second.name) || second.after.includes(first.name);
}
