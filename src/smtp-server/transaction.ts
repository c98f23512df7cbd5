import type { Parameters } from './command-parser.ts';
import { DataReader } from './data-reader.ts';
import type { Envelope } from './hooks.ts';

/** One mail on its way in: from an accepted MAIL to the end of the content, or to RSET. */
export class Transaction {
  readonly #mailFrom: string;
  readonly #mailParameters: Parameters;
  readonly #rcptTo: string[] = [];
  readonly #rcptParameters: Parameters[] = [];
  /** The content so far. */
  readonly content: DataReader;
  /** Whether a BDAT chunk was taken: DATA and RCPT are out of order from then on (RFC 3030, section 2). */
  chunked = false;
  /** Whether a chunk was refused: the rest of them is read and refused too. */
  failed = false;

  constructor(mailFrom: string, parameters: Parameters, maxSize: number) {
    this.#mailFrom = mailFrom;
    this.#mailParameters = parameters;
    this.content = new DataReader(maxSize);
  }

  /** How many recipients were accepted. */
  get recipients(): number {
    return this.#rcptTo.length;
  }

  /** Whether addresses may hold UTF-8 (RFC 6531, section 3.4). */
  get utf8(): boolean {
    return 'SMTPUTF8' in this.#mailParameters;
  }

  /** Whether the content may hold bare CR and LF (RFC 3030, section 3). */
  get binary(): boolean {
    return this.#mailParameters['BODY']?.toUpperCase() === 'BINARYMIME';
  }

  addRecipient(address: string, parameters: Parameters): void {
    this.#rcptTo.push(address);
    this.#rcptParameters.push(parameters);
  }

  envelope(): Envelope {
    return {
      mailFrom: this.#mailFrom,
      rcptTo: this.#rcptTo,
      parameters: { mail: this.#mailParameters, rcpt: this.#rcptParameters },
    };
  }
}
