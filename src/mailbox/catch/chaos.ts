import { ConfigurationError, type ServerReply } from '../../model/errors.ts';

/** Failures for a share of the recipients, to see how an app handles them; percentages, 0 to 100. */
export interface ChaosSettings {
  /** Recipients that are refused. */
  readonly refuse: number;
  /** The reply code of a refusal: 450 is temporary, 550 permanent. */
  readonly refuseCode: 450 | 550;
  /** Recipients at which the connection is cut. */
  readonly drop: number;
  /** Recipients that are answered late. */
  readonly delay: number;
  /** How late, in milliseconds; default 3,000, at most 60,000. */
  readonly delayMs: number;
}

const NO_CHAOS: ChaosSettings = /* @__PURE__ */ Object.freeze({
  refuse: 0,
  refuseCode: 550,
  drop: 0,
  delay: 0,
  delayMs: 3000,
});

/** What happens to one recipient. */
export type ChaosVerdict =
  | { readonly kind: 'accept' | 'drop' }
  | { readonly kind: 'refuse'; readonly code: 450 | 550 }
  | { readonly kind: 'delay'; readonly ms: number };

/** Refuses, delays or drops a share of recipients. */
export class Chaos {
  readonly #random: () => number;
  #settings: ChaosSettings = NO_CHAOS;

  /** @throws {ConfigurationError} `invalid-option` for an unknown setting or a value out of range. */
  constructor(settings: Partial<ChaosSettings> = {}, random: () => number = Math.random) {
    this.#random = random;
    const fault = this.change(settings);
    if (fault !== null) throw new ConfigurationError('invalid-option', `mailbox: chaos: ${fault}`);
  }

  get settings(): ChaosSettings {
    return this.#settings;
  }

  /** Changes some settings; returns null, or what is wrong with them and changes nothing. */
  change(changes: Readonly<Record<string, unknown>>): string | null {
    for (const [name, value] of Object.entries(changes)) {
      const fault = checkSetting(name, value);
      if (fault !== null) return fault;
    }
    this.#settings = { ...this.#settings, ...changes };
    return null;
  }

  /** Decides what happens to the next recipient. */
  draw(): ChaosVerdict {
    const { refuse, refuseCode, drop, delay, delayMs } = this.#settings;
    if (refuse + drop + delay === 0) return { kind: 'accept' };
    const roll = this.#random() * 100;
    if (roll < refuse) return { kind: 'refuse', code: refuseCode };
    if (roll < refuse + drop) return { kind: 'drop' };
    return roll < refuse + drop + delay ? { kind: 'delay', ms: delayMs } : { kind: 'accept' };
  }
}

/** The reply to a recipient that chaos refuses. */
export function chaosReply(code: 450 | 550): ServerReply {
  const enhancedCode = code === 450 ? '4.7.1' : '5.7.1';
  return { code, enhancedCode, text: 'chaos: the mailbox refused the recipient, as configured' };
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
