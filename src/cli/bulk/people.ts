import { formatCount } from '../output.ts';
import type { BulkMail } from './bulk-mail.ts';
import type { Person } from './read-people.ts';
import type { RowReport, RunPlan } from './run-plan.ts';

/** The rows of a file, and which of them this run sends. */
export class People {
  readonly #read: () => AsyncIterable<Person>;
  readonly #mail: BulkMail;
  readonly #plan: RunPlan;
  readonly #isUnique: boolean;

  /** @param isUnique whether to leave out rows whose address appears in an earlier row */
  constructor(read: () => AsyncIterable<Person>, mail: BulkMail, plan: RunPlan, isUnique: boolean) {
    this.#read = read;
    this.#mail = mail;
    this.#plan = plan;
    this.#isUnique = isUnique;
  }

  /**
   * Reads everything once before anything is sent, so that faults in the file or the journal are found first.
   *
   * @returns how many rows to send, and how many not sent before have an address that appears in an earlier row
   */
  async survey(onEarlier: (row: RowReport) => void): Promise<{ readonly planned: number; readonly repeated: number }> {
    const rows = new RepeatedRows(this.#mail);
    let count = 0;
    let planned = 0;
    let repeated = 0;
    for await (const person of this.#read()) {
      count = person.row;
      const isRepeated = rows.has(person);
      const earlier = this.#plan.earlierResult(person);
      if (earlier !== null) onEarlier(earlier);
      else {
        if (isRepeated) repeated++;
        if (!(isRepeated && this.#isUnique)) planned++;
      }
    }
    this.#plan.checkCount(count);
    return { planned, repeated };
  }

  /** The rows to send, as they are read. */
  async *toSend(): AsyncGenerator<Person, void, undefined> {
    const rows = this.#isUnique ? new RepeatedRows(this.#mail) : null;
    for await (const person of this.#read()) {
      if (!rows?.has(person) && this.#plan.earlierResult(person) === null) yield person;
    }
  }

  /** A note on the rows whose address appears in an earlier row. */
  describeRepeated(repeated: number): string {
    const rows = repeated === 1 ? '1 row has' : `${formatCount(repeated)} rows have`;
    const end = this.#isUnique ? 'left out' : '--unique sends one mail to each address';
    return `${rows} an address that appears in an earlier row: ${end}`;
  }
}

/** Finds rows whose addresses all appear in earlier rows; `has` is called for every row of a file, in order. */
class RepeatedRows {
  readonly #mail: BulkMail;
  readonly #seen = new Set<string>();

  constructor(mail: BulkMail) {
    this.#mail = mail;
  }

  has({ cells }: Person): boolean {
    const keys = this.#mail.keys(cells);
    const isRepeated = keys.length > 0 && keys.every((key) => this.#seen.has(key));
    for (const key of keys) this.#seen.add(key);
    return isRepeated;
  }
}
