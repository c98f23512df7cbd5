import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../../util/reason.ts';
import { readStoredFacts, type StoredFacts } from './stored-facts.ts';

/** Where caught mails are kept. */
export interface MailStorage {
  /** The mails of earlier runs, oldest first. */
  load(): Iterable<{ readonly facts: StoredFacts; readonly bytes: Uint8Array }>;
  save(facts: StoredFacts, bytes: Uint8Array): void;
  saveFacts(facts: StoredFacts): void;
  /** The bytes of a mail that was saved; null when the file is gone. */
  read(id: string): Uint8Array | null;
  remove(id: string): void;
}

/** Keeps mails until the process ends. */
export class MemoryStorage implements MailStorage {
  readonly #mails = new Map<string, Uint8Array>();

  load(): [] {
    return [];
  }

  save({ id }: StoredFacts, bytes: Uint8Array): void {
    this.#mails.set(id, bytes);
  }

  saveFacts(): void {}

  read(id: string): Uint8Array | null {
    return this.#mails.get(id) ?? null;
  }

  remove(id: string): void {
    this.#mails.delete(id);
  }
}

const FILE = /^([0-9a-z-]+)\.eml$/;

/** Keeps each mail as an .eml file in a folder, with a .json file for what is not in the mail. */
export class FolderStorage implements MailStorage {
  readonly #folder: string;
  readonly #warn: (text: string) => void;
  /** Mails whose .json file is not ours; it is neither read nor overwritten. */
  readonly #foreign = new Set<string>();

  /** @param warn called for each file that cannot be used */
  constructor(folder: string, warn: (text: string) => void) {
    this.#folder = folder;
    this.#warn = warn;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  *load(): Generator<{ readonly facts: StoredFacts; readonly bytes: Uint8Array }> {
    for (const name of readdirSync(this.#folder).sort()) {
      const id = FILE.exec(name)?.[1];
      if (id === undefined) continue;
      const bytes = this.read(id);
      if (bytes === null) this.#warn(`${join(this.#folder, name)} cannot be read and is left out`);
      else yield { facts: this.#readFacts(id), bytes };
    }
  }

  save(facts: StoredFacts, bytes: Uint8Array): void {
    try {
      this.saveFacts(facts);
      this.#write(`${facts.id}.eml`, bytes);
    } catch (error) {
      this.remove(facts.id); // leaves neither file
      throw error;
    }
  }

  saveFacts(facts: StoredFacts): void {
    if (!this.#foreign.has(facts.id)) this.#write(`${facts.id}.json`, JSON.stringify(facts));
  }

  read(id: string): Uint8Array | null {
    try {
      return readFileSync(join(this.#folder, `${id}.eml`));
    } catch {
      return null;
    }
  }

  remove(id: string): void {
    rmSync(join(this.#folder, `${id}.eml`), { force: true });
    if (!this.#foreign.has(id)) rmSync(join(this.#folder, `${id}.json`), { force: true });
  }

  /** A mail that was put into the folder by hand has no .json file. */
  #readFacts(id: string): StoredFacts {
    const path = join(this.#folder, `${id}.json`);
    if (existsSync(path)) {
      try {
        return readStoredFacts(id, JSON.parse(readFileSync(path, 'utf8')));
      } catch (error) {
        this.#foreign.add(id);
        this.#warn(`${path} is not what the mailbox wrote, and is left as it is: ${reasonOf(error)}`);
      }
    }
    const receivedAt = statSync(join(this.#folder, `${id}.eml`)).mtime.toISOString();
    return { id, receivedAt, isRead: false, via: 'api', envelope: { from: '', to: [] } };
  }

  #write(name: string, content: string | Uint8Array): void {
    const path = join(this.#folder, name);
    try {
      writeFileSync(`${path}.part`, content, { mode: 0o600 });
      renameSync(`${path}.part`, path);
    } catch (error) {
      rmSync(`${path}.part`, { force: true }); // the disk may be full
      throw error;
    }
  }
}
