import { ConfigurationError } from '../../model/errors.ts';
import { memoryStore } from '../memory-store.ts';
import type { OutboxStore } from '../store.ts';
import { sqliteStore } from './sqlite.ts';

/**
 * The store that a text names: `sqlite:./mail.db`, `memory:`.
 *
 * @throws {ConfigurationError} `invalid-option` for another text, which is not shown, and as the stores.
 */
export function openStore(text: string): OutboxStore {
  const colon = text.indexOf(':');
  const [kind, rest] = [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)];
  if (kind === 'sqlite' && rest !== '') return sqliteStore(rest);
  if (kind === 'memory' && rest === '') return memoryStore();
  const message =
    "the store of an outbox is 'sqlite:PATH' or 'memory:', or an object that a function such as postgresStore makes";
  throw new ConfigurationError('invalid-option', message, { option: 'store' });
}
