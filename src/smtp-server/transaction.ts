import type { Parameters } from './command-parser.ts';
import { DataReader } from './data-reader.ts';
import type { Envelope } from './hooks.ts';

/** One incoming mail, from an accepted MAIL to the end of the content or RSET. */
export class Transaction {
  readonly #mailFrom: string;
  readonly #mailParameters: Parameters;
  readonly #rcptTo: string[] = [];
  readonly #rcptParameters: Parameters[] = [];
  readonly content: DataReader;
  /** Whether there was a BDAT chunk, after which DATA and RCPT are out of order (RFC 3030, section 2). */
  isChunked = false;
  /** Whether a chunk was refused: further ones are read and refused too. */
  hasFailed = false;

  constructor(mailFrom: string, parameters: Parameters, maxSize: number) {
    this.#mailFrom = mailFrom;
    this.#mailParameters = parameters;
    this.content = new DataReader(maxSize);
  }

  /** The number of accepted recipients. */
  get recipients(): number {
    return this.#rcptTo.length;
  }

  /** Whether addresses may contain UTF-8 (RFC 6531, section 3.4). */
  get isUtf8(): boolean {
    return 'SMTPUTF8' in this.#mailParameters;
  }

  /** Whether the content may contain bare CR and LF (RFC 3030, section 3). */
  get isBinary(): boolean {
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
