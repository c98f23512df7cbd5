import { ConfigurationError } from '../model/errors.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';
import type { Order } from './choice.ts';
import { choosing, FAILOVER_OPTIONS, type FailoverOptions } from './choosing.ts';
import { WrapperBackend, type WrapperClock } from './wrapper-backend.ts';

/** Options of {@link WeightedBackend}. */
export interface WeightedOptions extends FailoverOptions {
  /** The share of each connection, in their order: `[9, 1]` gives the second one a mail in ten. */
  readonly weights: readonly number[];
}

/** Sends each message over one of its connections, by their weights, and over the others as `failover` does. */
export class WeightedBackend extends WrapperBackend {
  /** What options are checked against, and read from URLs. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...FAILOVER_OPTIONS,
      weights: {
        type: 'custom',
        expected: 'a weight for each connection: whole numbers of 0 or more, not all 0, such as 9,1',
        check: isWeights,
        parse: (text) => text.split(',').map((each) => (/^\d+$/.test(each.trim()) ? Number(each) : Number.NaN)),
      },
    }) satisfies OptionTable<WeightedOptions>)();

  override readonly name = 'weighted';

  /** @throws {ConfigurationError} `invalid-option`, also unless there is a weight for each connection; `unknown-option`, `invalid-backend` */
  constructor(options: WeightedOptions, clock: WrapperClock = {}) {
    super(
      options,
      choosing('weighted', options, clock, (parts) => orderByWeights(weightsFor(options, parts.length))),
    );
  }
}

function isWeights(value: unknown): boolean {
  const isWeight = (each: unknown) => Number.isSafeInteger(each) && Number(each) >= 0 && Number(each) <= 1_000_000;
  return Array.isArray(value) && value.every(isWeight) && value.some((each) => each > 0);
}

function weightsFor({ weights }: WeightedOptions, count: number): readonly number[] {
  if (weights?.length === count) return weights;
  throw new ConfigurationError(
    'invalid-option',
    `weighted: weights must be one number for each of the ${count} connections`,
    { option: 'weights', otherOptions: ['connections'] },
  );
}

/** Smoothly: of three mails by 2 and 1, the second connection gets the one in the middle. */
function orderByWeights(weights: readonly number[]): Order {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const credit = weights.map(() => 0);
  const byWeight = [...weights.keys()].toSorted((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
  const pick = (): number => {
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let place = 0; place < weights.length; place++) {
      const raised = (credit[place] ?? 0) + (weights[place] ?? 0);
      credit[place] = raised;
      if (raised <= most) continue;
      best = place;
      most = raised;
    }
    credit[best] = most - sum;
    return best;
  };
  const orders = weights.map((_, first) => [first, ...byWeight.filter((place) => place !== first)]);
  return (first) => orders[first ?? pick()] ?? [];
}
