import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A mail a server delivered. */
export interface DeliveredMail {
  /** The recipient it was delivered to, from the server's own Delivered-To field. */
  readonly deliveredTo: string;
  /** The envelope sender, from the server's own Return-Path field. */
  readonly returnPath: string;
  /** The file, with the trace fields the server put before it and LF line ends. */
  readonly source: Buffer;
}

/** A maildir that a server delivers into. */
export class Maildir {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** How many mails there are. */
  get size(): number {
    return this.#files().length;
  }

  /** Every mail, or those of one recipient. */
  read(recipient?: string): DeliveredMail[] {
    const mails = this.#files().map((file) => {
      const source = readFileSync(file);
      const head = source.subarray(0, 4096).toString();
      return {
        deliveredTo: /^Delivered-To: (.*)$/m.exec(head)?.[1] ?? '',
        returnPath: /^Return-Path: <(.*)>$/m.exec(head)?.[1] ?? '',
        source,
      };
    });
    return recipient === undefined ? mails : mails.filter((mail) => mail.deliveredTo === recipient);
  }

  /** Throws every mail away. */
  clear(): void {
    for (const file of this.#files()) rmSync(file);
  }

  #files(): string[] {
    const folder = join(this.#folder, 'new');
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  }
}
