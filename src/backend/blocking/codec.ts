import { ownProperties, rebuildError } from '../../model/error-copies.ts';
import { type ErrorFacts, factsOf } from '../../model/error-facts.ts';
import {
  ConfigurationError,
  EmailConnectionError,
  EmailError,
  MessageError,
  SendError,
  UnsupportedFeatureError,
} from '../../model/errors.ts';
import type { RecipientStatus } from '../../model/status.ts';
import { isBranded } from '../../util/brand.ts';
import { isError } from '../../util/reason.ts';
import type { DeliveryResult } from '../job.ts';

/** The worker's state in shared memory. */
export const WORKER_STARTING = 0;
export const WORKER_RUNNING = 1;
export const WORKER_ENDED = 2;

/** Results that can be cloned: cloning drops an error's class, so errors are passed separately and referred to by number. */
export interface PackedResults {
  readonly results: readonly PackedResult[];
  readonly errors: readonly PackedError[];
}

interface PackedResult extends Omit<DeliveryResult, 'recipients' | 'error'> {
  readonly recipients: readonly (Omit<RecipientStatus, 'error'> & { readonly error: number | null })[];
  readonly error: number | null;
}

interface PackedError {
  readonly name: string;
  readonly own: Readonly<Record<string, unknown>>;
  readonly facts: ErrorFacts;
}

const CLASSES: Readonly<Record<string, { readonly prototype: EmailError }>> = {
  EmailError,
  ConfigurationError,
  EmailConnectionError,
  MessageError,
  SendError,
  UnsupportedFeatureError,
};

export function packResults(results: readonly DeliveryResult[]): PackedResults {
  const numbers = new Map<EmailError, number>();
  const number = (error: EmailError | null | undefined): number | null => {
    if (!error) return null;
    const known = numbers.get(error) ?? numbers.size;
    numbers.set(error, known);
    return known;
  };
  const packed = results.map((result) => ({
    ...result,
    espResponse: cloneable(result.espResponse),
    recipients: [...result.recipients.values()].map((recipient) => ({ ...recipient, error: number(recipient.error) })),
    error: number(result.error),
  }));
  return { results: packed, errors: [...numbers.keys()].map(packError) };
}

export function unpackResults({ results, errors }: PackedResults): DeliveryResult[] {
  const rebuilt = errors.map(unpackError);
  const byNumber = (number: number | null) => (number === null ? null : (rebuilt[number] ?? null));
  return results.map((result) => ({
    ...result,
    recipients: new Map(
      result.recipients.map((recipient) => [recipient.address, { ...recipient, error: byNumber(recipient.error) }]),
    ),
    error: byNumber(result.error),
  }));
}

function packError(error: EmailError): PackedError {
  // The status covers the whole call, and is assembled on the other side.
  const facts = { ...factsOf(error), status: null };
  return { name: className(error), own: cloneableValues(ownProperties(error)), facts: cloneableValues(facts) };
}

/** The class of this package that an error has or extends: the other side knows no other. */
function className(error: EmailError): string {
  let prototype: object = Object.getPrototypeOf(error);
  while (!isBranded(prototype)) prototype = Object.getPrototypeOf(prototype);
  return String(Reflect.get(prototype, 'name'));
}

function unpackError({ name, own, facts }: PackedError): EmailError {
  return rebuildError((CLASSES[name] ?? EmailError).prototype, own, facts);
}

function cloneableValues<T extends object>(record: T): T {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, cloneable(value)])) as T; // the same names
}

function cloneable(value: unknown): unknown {
  if (isError(value)) return { name: value.name, message: value.message, code: Reflect.get(value, 'code') };
  try {
    return structuredClone(value);
  } catch {
    return String(value);
  }
}
