import { copyJson } from '../util/json.ts';
import type { Arrival } from './caught-mail.ts';

/** What of a mail is kept beside its bytes. */
export interface StoredFacts extends Omit<Arrival, 'bytes'> {
  readonly id: string;
  readonly receivedAt: string;
  readonly isRead: boolean;
}

const WAYS: readonly unknown[] = ['smtp', 'backend', 'api', 'preview'] satisfies readonly Arrival['via'][];

/** Reads the facts of a mail as they were stored, in JSON. @throws {Error} which names what is wrong with them */
export function readStoredFacts(id: string, stored: unknown): StoredFacts {
  const { receivedAt, isRead, via, envelope, tags = [], metadata = {}, facts = {} } = record('the file', stored);
  const { from, to } = record('envelope', envelope);
  if (typeof receivedAt !== 'string' || Number.isNaN(Date.parse(receivedAt))) throw wrong('receivedAt');
  if (!isVia(via)) throw wrong('via');
  if (typeof from !== 'string' || !isTexts(to)) throw wrong('envelope');
  if (!isTexts(tags)) throw wrong('tags');
  const texts = Object.entries(record('metadata', metadata)).map(([name, value]) => {
    if (typeof value !== 'string') throw wrong('metadata');
    return [name, value] as const;
  });
  const values = Object.entries(record('facts', facts)).map(
    ([name, value]) => [name, copyJson(value, () => {})] as const,
  );
  return {
    id,
    receivedAt,
    isRead: isRead === true,
    via,
    envelope: { from, to },
    tags,
    metadata: Object.fromEntries(texts),
    facts: Object.fromEntries(values),
  };
}

function isVia(value: unknown): value is Arrival['via'] {
  return WAYS.includes(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function record(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(name);
  return { ...value };
}

function wrong(name: string): Error {
  return new Error(`${name} is not as the mailbox writes it`);
}
