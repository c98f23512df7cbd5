import type { BulkMail } from './bulk-mail.ts';
import type { Person } from './read-people.ts';
import { RepeatedRows } from './repeated-rows.ts';
import type { RunPlan, ToldRow } from './run-plan.ts';
import { formatCount } from './tally.ts';

/** The rows of a file, by what becomes of them in this run. */
export class People {
  readonly #read: () => AsyncIterable<Person>;
  readonly #mail: BulkMail;
  readonly #plan: RunPlan;
  readonly #isUnique: boolean;

  /** @param isUnique whether rows whose address stands in an earlier row are left out */
  constructor(read: () => AsyncIterable<Person>, mail: BulkMail, plan: RunPlan, isUnique: boolean) {
    this.#read = read;
    this.#mail = mail;
    this.#plan = plan;
    this.#isUnique = isUnique;
  }

  /**
   * Reads everything once before anything is sent: what is wrong with the file or the journal is found here.
   *
   * @returns how many rows are to be sent, and how many of those to send have an address that stands in an earlier row
   */
  async survey(onTold: (row: ToldRow) => void): Promise<{ readonly planned: number; readonly repeated: number }> {
    const rows = new RepeatedRows(this.#mail);
    let count = 0;
    let planned = 0;
    let repeated = 0;
    for await (const person of this.#read()) {
      count = person.row;
      const isRepeated = rows.has(person);
      const told = this.#plan.told(person);
      if (told !== null) onTold(told);
      else {
        if (isRepeated) repeated++;
        if (!(isRepeated && this.#isUnique)) planned++;
      }
    }
    this.#plan.checkCount(count);
    return { planned, repeated };
  }

  /** The rows that are to be sent, as they are read. */
  async *toSend(): AsyncGenerator<Person, void, undefined> {
    const rows = this.#isUnique ? new RepeatedRows(this.#mail) : null;
    for await (const person of this.#read()) {
      if (!rows?.has(person) && this.#plan.told(person) === null) yield person;
    }
  }

  /** Says what becomes of rows whose address stands in an earlier row. */
  tellRepeated(repeated: number): string {
    const rows = repeated === 1 ? '1 row has' : `${formatCount(repeated)} rows have`;
    const end = this.#isUnique ? 'left out' : '--unique sends one mail to each address';
    return `${rows} an address that stands in an earlier row: ${end}`;
  }
}
