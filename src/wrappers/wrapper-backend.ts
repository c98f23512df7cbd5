import { type BackendOptions, type BackendStats, EmailBackend, type Verification } from '../backend/backend.ts';
import { type DeliveryContext, type DeliveryResult, type Job, toEmailError } from '../backend/job.ts';
import { thrownHere } from '../model/error-copies.ts';
import { EmailError } from '../model/errors.ts';
import type { Feature } from '../model/features.ts';
import { LateModule } from '../options/late-module.ts';
import { type Clock, SYSTEM_CLOCK } from '../util/clock.ts';
import type { AccountRates } from '../util/rates.ts';
import type { NamedPart } from './parts.ts';
import type { Rules } from './rules.ts';
import type { WrapperHost } from './wrapper-host.ts';

/** What delivers, loaded with the first mail. */
const engine = /* @__PURE__ */ new LateModule(() => import('./engine.ts'), './wrappers/engine', import.meta.url);

/** What {@link WrapperBackend.stats} tells. */
export interface WrapperStats extends BackendStats {
  /** Of each connection, by its name. */
  readonly connections: Readonly<Record<string, BackendStats>>;
}

/** What {@link WrapperBackend.verify} found out. */
export interface WrapperVerification extends Verification {
  /** Of each connection, by its name: what was found out, or why it could not be verified. */
  readonly connections: Readonly<Record<string, Verification | EmailError>>;
}

/** The time by which wrappers wait and rest, for tests to pass another one. */
export interface WrapperClock {
  /** Default: the clock of this process. */
  readonly clock?: Clock;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** What a subclass decides. */
export interface WrapperParts {
  readonly parts: readonly NamedPart[];
  readonly rules: Rules;
  readonly features: ReadonlySet<Feature>;
  /** The parts without which not every mail can be sent: all, any one, or the first. */
  readonly needs: 'all' | 'any' | 'first';
  readonly clock?: Clock | undefined;
}

/**
 * A backend that is made of connections. Its statuses tell in `via` and `tries` which of them did what.
 *
 * What concerns the message is done once, before it is given to the first connection: checks, listeners, the staging guard. Each
 * try of a connection emits {@link Attempt}. `close` closes the connections, too.
 */
export abstract class WrapperBackend extends EmailBackend {
  static override readonly about: string = 'sends over other connections';

  protected override readonly features: ReadonlySet<Feature>;
  protected override readonly maxActiveCalls: number;
  protected override readonly awaitsCommit: boolean;
  readonly #host: WrapperHost;
  readonly #needs: WrapperParts['needs'];
  /** How often `open` has opened each part, by place, since the last `close` that closed them. */
  readonly #opened: number[];

  /** @internal */
  constructor(options: BackendOptions, made: WrapperParts) {
    const [first] = made.parts;
    const defaultFrom = options.defaultFrom ?? first?.part.facts.options.defaultFrom;
    super(defaultFrom === undefined ? options : { ...options, defaultFrom });
    const { parts, rules, features, needs, clock = SYSTEM_CLOCK } = made;
    const backend = this;
    const depths = parts.map(({ part: { connection } }) =>
      connection instanceof WrapperBackend ? connection.depth : 0,
    );
    this.#host = {
      parts,
      rules,
      clock,
      depth: 1 + Math.max(...depths),
      // A subclass sets its name after this constructor has run.
      get name() {
        return backend.name;
      },
    };
    this.#needs = needs;
    this.#opened = parts.map(() => 0);
    this.features = features;
    // The first one alone is given what is asked for where the others get copies.
    const asking = needs === 'first' ? parts.slice(0, 1) : parts;
    this.awaitsCommit = asking.every(({ part }) => part.awaitsCommit);
    this.maxActiveCalls = parts.reduce((sum, { part }) => sum + part.maxActiveCalls, 0);
  }

  protected override deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult> {
    const { loaded } = engine;
    if (loaded === null) return this.#deliverOnceLoaded(jobs, context);
    return new loaded.WrapperCall(this.#host, jobs, context);
  }

  async *#deliverOnceLoaded(
    jobs: AsyncIterable<Job>,
    context: DeliveryContext,
  ): AsyncGenerator<DeliveryResult, void, undefined> {
    await engine.load();
    yield* this.deliver(jobs, context);
  }

  protected override deliverSync(jobs: readonly Job[]): readonly DeliveryResult[] {
    return engine.loadNow().deliverSync(this.#host, jobs);
  }

  /** @throws {EmailError} where a connection that is needed does not open. */
  protected override async connect(options: { readonly signal?: AbortSignal }): Promise<void> {
    const { parts } = this.#host;
    const outcomes = await Promise.allSettled(parts.map(({ part }) => part.connection.open(options)));
    const opened = [...parts.keys()].filter((place) => outcomes[place]?.status === 'fulfilled');
    const failure = this.#failureOf(outcomes.map(faultOf));
    if (failure === null) {
      for (const place of opened) this.#opened[place] = (this.#opened[place] ?? 0) + 1;
      return;
    }
    await Promise.allSettled(opened.map((place) => parts[place]?.part.connection.close()));
    throw failure.error;
  }

  /** Undoes every `open` of its own; one that it never opened is closed, too, unless somebody else has it open. */
  protected override async disconnect(): Promise<void> {
    const closing = this.#host.parts.flatMap(({ part }, place) => {
      const times = this.#opened[place] || (part.isOpen ? 0 : 1);
      this.#opened[place] = 0;
      return Array.from({ length: times }, () => part.connection.close());
    });
    const failed = (await Promise.allSettled(closing)).find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /**
   * How many wrappers there are within each other, this one included.
   *
   * @internal
   */
  get depth(): number {
    return this.#host.depth;
  }

  /** Where every mail goes over the first one, that is what the account lets through. */
  protected override async accountRates(): Promise<AccountRates | null> {
    const [first, ...others] = this.#host.parts;
    const isOnly = others.length === 0 || this.#needs === 'first';
    return isOnly && first !== undefined ? first.part.accountRates() : null;
  }

  override closeSync(): void {
    for (const { part } of this.#host.parts) part.connection.closeSync();
  }

  /**
   * Verifies every connection.
   *
   * @throws {EmailError} what the first connection at fault throws, where mail could not be sent for it.
   */
  override async verify(options: { readonly signal?: AbortSignal } = {}): Promise<WrapperVerification> {
    const { parts } = this.#host;
    const outcomes = await Promise.allSettled(parts.map(({ part }) => part.connection.verify(options)));
    const failure = this.#failureOf(outcomes.map(faultOf));
    if (failure !== null) throw thrownHere(failure.error);
    const told = outcomes.map((each, place) => [parts[place]?.name ?? '', foundIn(each)] as const);
    const details = told.map(([name, found]) => [
      name,
      found instanceof EmailError ? `fails: ${found.message}` : 'works',
    ]);
    return { backend: this.name, details: Object.fromEntries(details), connections: Object.fromEntries(told) };
  }

  /** {@link verify} for every connection that is no wrapper, by its way from here, such as `failover/smtp`; throws nothing. */
  async verifyEach(
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<string, Verification | EmailError>> {
    const found = this.#host.parts.map(async ({ name, part: { connection } }) => {
      if (connection instanceof WrapperBackend) {
        const inner = await connection.verifyEach(options);
        return [...inner].map(([each, verified]) => [`${name}/${each}`, verified] as const);
      }
      const [outcome] = await Promise.allSettled([connection.verify(options)]);
      return [[name, foundIn(outcome)] as const];
    });
    return new Map((await Promise.all(found)).flat());
  }

  override stats(): WrapperStats {
    const connections = this.#host.parts.map(({ name, part }) => [name, part.connection.stats()] as const);
    return { ...super.stats(), connections: Object.fromEntries(connections) };
  }

  /** What keeps some mail from being sent, given what went wrong with each part. */
  #failureOf(faults: readonly ({ readonly error: unknown } | null)[]): { readonly error: unknown } | null {
    const first = faults.find((fault) => fault !== null) ?? null;
    const needs = this.#needs;
    if (needs === 'all') return first;
    return needs === 'first' ? (faults[0] ?? null) : faults.every((fault) => fault !== null) ? first : null;
  }
}

function faultOf(outcome: PromiseSettledResult<unknown>): { readonly error: unknown } | null {
  return outcome.status === 'rejected' ? { error: outcome.reason } : null;
}

function foundIn(outcome: PromiseSettledResult<Verification>): Verification | EmailError {
  return outcome.status === 'fulfilled' ? outcome.value : toEmailError(outcome.reason);
}
