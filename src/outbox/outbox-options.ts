import { BACKEND_OPTIONS, type BackendOptions, type EmailBackend } from '../backend/backend.ts';
import { ConfigurationError } from '../model/errors.ts';
import { checkOptions, type OptionSpec, type OptionTable } from '../options/option-table.ts';
import { RATE_OPTIONS, type RateOptions, ratesOf } from '../options/rate-options.ts';
import { isObject } from '../util/json.ts';
import type { Rates } from '../util/rates.ts';
import type { SealKey } from './seal.ts';
import type { OnDoubt, OutboxStore } from './store.ts';

/** How the mails of one lane go. */
export interface LaneOptions extends RateOptions {
  /** Its share of the places of a worker while others wait, too; a whole number of 1 or more, default 1. */
  readonly weight?: number;
}

/** How an outbox tries again. */
export interface OutboxRetryOptions {
  /** The waits between tries, in milliseconds; after the last one a mail has failed. Default: 1, 5, 15 minutes, 1, 4 and then 8 hours, for two days. */
  readonly delaysMs?: readonly number[];
}

/** Options of an outbox. */
export interface OutboxOptions extends BackendOptions {
  /** Where mails are kept: `sqliteStore('mail.db')`, `postgresStore(pool)`, `bullmqStore({ connection })`, `memoryStore()`; as text `sqlite:./mail.db`. */
  readonly store: OutboxStore | string;
  /** What sends them; text stands for what `getConnection` makes of it: a name, `'@name'` or a URL. */
  readonly connection: EmailBackend | string;
  /** The lanes that there are; default: `transactional`, of weight 10, and `bulk`, of weight 1. */
  readonly lanes?: Readonly<Record<string, LaneOptions>>;
  /** The lane of mails that name none; default: the first one. */
  readonly lane?: string;
  /** What becomes of mails that were perhaps sent when a worker died; default `hold`: somebody decides. */
  readonly onDoubt?: OnDoubt;
  /** When it is tried again. */
  readonly retry?: OutboxRetryOptions;
  /** After how many milliseconds without a sign of life a worker counts as dead; default 60,000. */
  readonly leaseMs?: number;
  /** Seals contents at rest; addresses, subjects and results are not sealed. */
  readonly sealKey?: SealKey;
  /** Keeps the contents of mails that were sent; default false. */
  readonly keepSent?: boolean;
  /** How long mails are kept that were sent, cancelled or failed, in milliseconds; default 30 days. */
  readonly keepMs?: number;
}

/** One mail's own way through the outbox; by `espExtra.outbox`, too. */
export interface LaneChoice {
  /** One of the lanes. */
  readonly lane?: string;
  /** Of two mails in a lane the one with the higher priority goes first; a whole number, default 0. */
  readonly priority?: number;
  /** Mails with the same text go in the order in which they came, each once nothing more is tried for the one before; at most 256 characters. */
  readonly orderKey?: string;
  /** Default: that of the outbox. */
  readonly onDoubt?: OnDoubt;
}

/** The waits between tries, in milliseconds. */
export const DELAYS_MS: readonly number[] = /* @__PURE__ */ [1, 5, 15, 60, 240, 480, 480, 480, 480, 480].map(
  (minutes) => minutes * 60_000,
);
/** What a sign-in mail must not wait behind. */
export const LANES: Readonly<Record<string, LaneOptions>> = /* @__PURE__ */ Object.freeze({
  transactional: { weight: 10 },
  bulk: { weight: 1 },
});
export const LEASE_MS = 60_000;
export const KEEP_MS: number = 30 * 24 * 3_600_000;

/** Names and keys that every store keeps as they are, and has in an index (Postgres: 2,704 octets). */
export const KEPT: RegExp = /^[^\0\p{Surrogate}]{0,256}$/u;
export const KEPT_AS_IT_IS = 'at most 256 characters, no NUL and no half of one among them';

const isName = (value: unknown): boolean => typeof value === 'string' && value !== '';

const LANE_OPTIONS: OptionTable<LaneOptions> = /* @__PURE__ */ (() => ({
  weight: { type: 'integer', min: 1 },
  ...RATE_OPTIONS,
}))();

/**
 * The rates of each lane; null for none.
 *
 * @throws {ConfigurationError} `invalid-option`, `unknown-option`, `conflicting-options`, for what is no lane.
 */
export function laneRates(lanes: Readonly<Record<string, LaneOptions>>): ReadonlyMap<string, Rates | null> {
  const rates = Object.entries(lanes).map(([lane, options]) => {
    if (!KEPT.test(lane))
      throw new ConfigurationError('invalid-option', `lanes: a name must be ${KEPT_AS_IT_IS}`, { option: 'lanes' });
    checkOptions(`lane ${lane}`, LANE_OPTIONS, options);
    return [lane, ratesOf(`lane ${lane}`, options)] as const;
  });
  return new Map(rates);
}

/** What the outbox accepts. */
export const OUTBOX_OPTIONS: OptionTable<OutboxOptions> = /* @__PURE__ */ (() => ({
  ...BACKEND_OPTIONS,
  store: {
    type: 'custom',
    expected: "a store, such as sqliteStore('mail.db'), or text such as 'sqlite:./mail.db'",
    check: (value) => isName(value) || (typeof value === 'object' && value !== null && 'enqueue' in value),
    parse: (text) => text,
    secret: true, // a URL of a database may hold its password
  },
  connection: {
    type: 'custom',
    expected: "a connection, or text such as '@smtp'",
    check: (value) => isName(value) || (typeof value === 'object' && value !== null),
    parse: (text) => text,
    isConnections: true,
    secret: true,
  },
  lanes: {
    type: 'custom',
    expected:
      "lanes by name, each with a weight and rates or none: { transactional: { weight: 10 }, bulk: { rate: '14/s' } }",
    check: (value) => isObject(value) && Object.keys(value).length > 0 && Object.values(value).every(isObject),
  },
  lane: { type: 'string' },
  onDoubt: { type: 'enum', values: ['hold', 'resend'] },
  retry: {
    type: 'object',
    fields: {
      delaysMs: {
        type: 'custom',
        expected: 'a list of milliseconds',
        check: (value) => Array.isArray(value) && value.every((each) => Number.isInteger(each) && each >= 0),
      } satisfies OptionSpec,
    },
  },
  leaseMs: { type: 'integer', min: 1_000, max: 3_600_000 },
  sealKey: {
    type: 'custom',
    expected: 'a key of 32 bytes, or a list of them',
    check: (value) => typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value),
    parse: (text) => text,
    secret: true,
    variable: { name: 'AMSDAL_EMAIL_OUTBOX_KEY', example: 'the output of openssl rand -base64 32' },
  },
  keepSent: { type: 'boolean' },
  keepMs: { type: 'integer', min: 0 },
}))();
