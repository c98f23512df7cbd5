import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Arrival } from './caught-mail.ts';

/** What of a mail is kept beside its bytes. */
export interface StoredFacts extends Omit<Arrival, 'bytes'> {
  readonly id: string;
  readonly receivedAt: string;
  readonly isRead: boolean;
}

/** Where caught mails lie. */
export interface MailStorage {
  /** What was there before, oldest first. */
  load(): Iterable<{ readonly facts: StoredFacts; readonly bytes: Uint8Array }>;
  save(facts: StoredFacts, bytes: Uint8Array): void;
  saveFacts(facts: StoredFacts): void;
  /** The bytes of a mail that was saved; null when somebody has taken them away. */
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

/** Keeps each mail as an .eml file in a folder, with a .json file of what the bytes do not say. */
export class FolderStorage implements MailStorage {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  *load(): Generator<{ readonly facts: StoredFacts; readonly bytes: Uint8Array }> {
    for (const name of readdirSync(this.#folder).sort()) {
      const id = FILE.exec(name)?.[1];
      const bytes = id === undefined ? null : this.read(id);
      if (id !== undefined && bytes !== null) yield { facts: this.#readFacts(id), bytes };
    }
  }

  save(facts: StoredFacts, bytes: Uint8Array): void {
    this.saveFacts(facts);
    this.#write(`${facts.id}.eml`, bytes);
  }

  saveFacts(facts: StoredFacts): void {
    this.#write(`${facts.id}.json`, JSON.stringify(facts));
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
    rmSync(join(this.#folder, `${id}.json`), { force: true });
  }

  /** A mail that was put into the folder by hand has no facts but its own. */
  #readFacts(id: string): StoredFacts {
    try {
      // Written by this class; what another program wrote there is its own affair, and fails in the next line at worst.
      const facts = JSON.parse(readFileSync(join(this.#folder, `${id}.json`), 'utf8')) as StoredFacts;
      return { ...facts, id, envelope: { from: facts.envelope.from, to: [...facts.envelope.to] } };
    } catch {
      const receivedAt = statSync(join(this.#folder, `${id}.eml`)).mtime.toISOString();
      return { id, receivedAt, isRead: false, via: 'api', envelope: { from: '', to: [] } };
    }
  }

  #write(name: string, content: string | Uint8Array): void {
    const path = join(this.#folder, name);
    writeFileSync(`${path}.part`, content, { mode: 0o600 });
    renameSync(`${path}.part`, path);
  }
}
