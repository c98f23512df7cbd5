import { copyJson, isObject, type JsonValue } from '../../util/json.ts';
import type { Arrival } from './caught-mail.ts';

/** What is kept of a mail beside its bytes. */
export interface StoredFacts extends Omit<Arrival, 'bytes'> {
  readonly id: string;
  readonly receivedAt: string;
  readonly isRead: boolean;
}

const WAYS: readonly unknown[] = ['smtp', 'backend', 'api', 'preview'] satisfies readonly Arrival['via'][];

/** Reads the facts of a mail from the JSON they were stored in. @throws {Error} which names the field that is wrong. */
export function readStoredFacts(id: string, stored: unknown): StoredFacts {
  if (!isObject(stored)) throw new Error('it must be an object');
  const { receivedAt, isRead, via } = stored;
  if (typeof receivedAt !== 'string' || Number.isNaN(Date.parse(receivedAt)))
    throw new Error('receivedAt must be a time');
  if (!isVia(via)) throw new Error(`via must be one of ${WAYS.join(', ')}`);
  return { id, receivedAt, isRead: isRead === true, via, tags: [], metadata: {}, ...readArrivalFacts(stored) };
}

/** Reads what arrived with a mail from JSON; absent tags and metadata stay absent. @throws {Error} which names the field that is wrong. */
export function readArrivalFacts(body: Readonly<Record<string, unknown>>): Omit<Arrival, 'bytes' | 'via'> {
  const { envelope, tags, metadata, facts = {} } = body;
  if (!isObject(envelope) || typeof envelope['from'] !== 'string' || !isTexts(envelope['to'])) {
    throw new Error('envelope must be {from, to: [...]}');
  }
  if (tags !== undefined && !isTexts(tags)) throw new Error('tags must be a list of texts');
  if (metadata !== undefined && !isTextRecord(metadata)) throw new Error('metadata must be an object of texts');
  if (!isObject(facts)) throw new Error('facts must be an object');
  const values = Object.entries(facts).map(([name, value]): [string, JsonValue] => [name, copyJson(value, () => {})]);
  return {
    envelope: { from: envelope['from'], to: envelope['to'] },
    ...(tags !== undefined && { tags }),
    ...(metadata !== undefined && { metadata: { ...metadata } }),
    facts: Object.fromEntries(values),
  };
}

function isVia(value: unknown): value is Arrival['via'] {
  return WAYS.includes(value);
}

function isTextRecord(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && isTexts(Object.values(value));
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
