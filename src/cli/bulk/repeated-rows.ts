import type { BulkMail } from './bulk-mail.ts';
import type { Person } from './read-people.ts';

/** Finds rows whose addresses all stand in earlier rows; asked for every row of a file, in order. */
export class RepeatedRows {
  readonly #mail: Pick<BulkMail, 'keys'>;
  readonly #seen = new Set<string>();

  constructor(mail: Pick<BulkMail, 'keys'>) {
    this.#mail = mail;
  }

  /** Whether everybody this row is to was in an earlier row. */
  has({ cells }: Person): boolean {
    const keys = this.#mail.keys(cells);
    const isRepeated = keys.length > 0 && keys.every((key) => this.#seen.has(key));
    for (const key of keys) this.#seen.add(key);
    return isRepeated;
  }
}
