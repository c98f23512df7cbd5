import { ConfigurationError } from '../errors.ts';

/** What becomes of a share of the recipients, to see what an app does about it; percentages, 0 to 100. */
export interface ChaosSettings {
  /** Recipients that are refused. */
  readonly refuse: number;
  /** The reply code they are refused with: 450 for a temporary refusal, 550 for a final one. */
  readonly refuseCode: 450 | 550;
  /** Recipients at which the connection is cut. */
  readonly drop: number;
  /** Recipients that are answered late. */
  readonly delay: number;
  /** How late, in milliseconds; at most 60,000. */
  readonly delayMs: number;
}

/** Nothing goes wrong. */
const CALM: ChaosSettings = /* @__PURE__ */ Object.freeze({
  refuse: 0,
  refuseCode: 550,
  drop: 0,
  delay: 0,
  delayMs: 3000,
});

/** What chaos has in store for one recipient. */
export type ChaosVerdict =
  | { readonly kind: 'accept' | 'drop' }
  | { readonly kind: 'refuse'; readonly code: 450 | 550 }
  | { readonly kind: 'delay'; readonly ms: number };

/** Refuses, delays or drops a share of recipients. */
export class Chaos {
  readonly #random: () => number;
  #settings: ChaosSettings = CALM;

  /** @throws {ConfigurationError} `invalid-option` for what is not a setting or out of range. */
  constructor(settings: Partial<ChaosSettings> = {}, random: () => number = Math.random) {
    this.#random = random;
    const fault = this.change(settings);
    if (fault !== null) throw new ConfigurationError('invalid-option', `mailbox: chaos: ${fault}`);
  }

  get settings(): ChaosSettings {
    return this.#settings;
  }

  /** Changes some settings; what is not a setting or out of range is answered with what is wrong, and nothing changes. */
  change(changes: Readonly<Record<string, unknown>>): string | null {
    for (const [name, value] of Object.entries(changes)) {
      const fault = checkSetting(name, value);
      if (fault !== null) return fault;
    }
    this.#settings = { ...this.#settings, ...changes };
    return null;
  }

  /** Draws the lot of one recipient. */
  draw(): ChaosVerdict {
    const { refuse, refuseCode, drop, delay, delayMs } = this.#settings;
    if (refuse + drop + delay === 0) return { kind: 'accept' };
    const lot = this.#random() * 100;
    if (lot < refuse) return { kind: 'refuse', code: refuseCode };
    if (lot < refuse + drop) return { kind: 'drop' };
    return lot < refuse + drop + delay ? { kind: 'delay', ms: delayMs } : { kind: 'accept' };
  }
}

function checkSetting(name: string, value: unknown): string | null {
  const isWithin = (most: number): boolean => typeof value === 'number' && value >= 0 && value <= most;
  switch (name) {
    case 'refuse':
    case 'drop':
    case 'delay':
      return isWithin(100) ? null : `${name} is a percentage from 0 to 100`;
    case 'delayMs':
      return isWithin(60_000) ? null : 'delayMs is from 0 to 60000';
    case 'refuseCode':
      return value === 450 || value === 550 ? null : 'refuseCode is 450 or 550';
    default:
      return `there is no setting ${name}`;
  }
}
