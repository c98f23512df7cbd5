import { ConfigurationError } from '../model/errors.ts';
import type { EmailMessage } from '../model/message.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';
import { anyFeatures, isNamed, type NamedConnection, type NamedPart, partsOf } from './parts.ts';
import type { Rules } from './rules.ts';
import { WrapperBackend, type WrapperClock } from './wrapper-backend.ts';
import { type Connection, WRAPPER_OPTIONS, type WrapperOptions } from './wrapper-options.ts';

/** Options of {@link RouteBackend}. */
export interface RouteOptions extends WrapperOptions {
  /**
   * Says which of the connections a message goes to, as it was given in `connections`; must answer at once. The class itself takes
   * a function, `getConnection` also the export of a module, `'./routes.js#choose'`.
   */
  readonly choose: Choose | string;
}

/** Names the connection that a message goes over. */
export type Choose = (message: EmailMessage) => Connection;

/**
 * Sends each message over the connection that `choose` names, and over no other.
 *
 * What any of the connections can do is accepted, and checked again against the chosen one.
 */
export class RouteBackend extends WrapperBackend {
  /** What options are checked against, and read from URLs. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...WRAPPER_OPTIONS,
      choose: {
        type: 'custom',
        expected: "a function (message) => connection, or './file.js#name' of one",
        check: (value) => typeof value === 'function' || (typeof value === 'string' && value.includes('#')),
        parse: (text) => text,
        isFunction: true,
      },
    }) satisfies OptionTable<RouteOptions>)();

  override readonly name = 'route';

  /** @throws {ConfigurationError} `invalid-option`, `unknown-option`, `invalid-backend` */
  constructor(options: RouteOptions, { clock }: WrapperClock = {}) {
    const { connections, choose } = options;
    const parts = partsOf('route', connections);
    super(options, {
      parts,
      rules: new Routing(connections, parts, choose),
      features: anyFeatures(parts),
      needs: 'all',
      clock,
    });
  }
}

class Routing implements Rules {
  readonly triesAgain = false;
  /** Connections, and the text that they were given as, by their places. */
  readonly #places = new Map<unknown, number>();
  readonly #choose: Choose;
  readonly #names: readonly string[];

  constructor(connections: RouteOptions['connections'], parts: readonly NamedPart[], choose: RouteOptions['choose']) {
    if (typeof choose !== 'function') {
      const text =
        choose === undefined
          ? 'route: give choose, a function (message) => connection, as text ?choose=./routes.js#choose'
          : "route: getConnection('route', ...) loads what choose names, the class takes the function";
      throw new ConfigurationError('missing-option', text, { option: 'choose' });
    }
    this.#names = parts.map(({ name }) => name);
    this.#choose = choose;
    const all: readonly (Connection | NamedConnection)[] = connections;
    for (const [place, given] of all.entries()) {
      if (typeof given === 'string' || !isNamed(given)) this.#places.set(given, place);
      else this.#places.set(given.text, place).set(given.connection, place);
    }
  }

  first(message: EmailMessage): number {
    const chosen: unknown = this.#choose(message);
    const place = this.#places.get(chosen);
    if (place !== undefined) return place;
    const what =
      chosen instanceof Promise
        ? 'a promise, and must answer at once'
        : `${shown(chosen)}, none of its connections as they were given: ${this.#names.join(', ')}`;
    throw new ConfigurationError('invalid-option', `route: choose gave ${what}`, { option: 'choose' });
  }
}

/** What is no name may be a URL with a password in it. */
function shown(chosen: unknown): string {
  if (chosen === undefined || chosen === null) return 'nothing';
  return typeof chosen === 'string' && /^@?[\w-]+$/.test(chosen) ? `'${chosen}'` : `a ${typeof chosen}`;
}
