import { randomUUID } from 'node:crypto';
import type { AttachmentInit } from '../../model/attachment.ts';
import { type GraphFile, type GraphMail, graphFileOf } from './graph-message.ts';
import { refuseContent } from './refusals.ts';
import { Refused } from './vendor.ts';

/** The most drafts that wait to be sent; older ones are lost. */
const MAX_DRAFTS = 100;
/** Octets of a file that is uploaded in parts (https://learn.microsoft.com/graph/outlook-large-attachments). */
const MIN_FILE = 3_000_000;
const MAX_FILE = 150_000_000;

/** A mail that is not sent yet. */
interface Draft {
  /** In base64, or in Graph's own words. */
  readonly mail: string | GraphMail;
  readonly files: AttachmentInit[];
}

/** A file that comes in parts. */
interface Session {
  readonly draft: string;
  readonly facts: GraphFile;
  readonly size: number;
  readonly parts: Buffer[];
  received: number;
}

/** The drafts of a mailbox, and the files on the way to them. */
export class Drafts {
  readonly #drafts = new Map<string, Draft>();
  readonly #sessions = new Map<string, Session>();

  /** Keeps a mail. @returns its id */
  add(mail: string | GraphMail): string {
    const id = randomUUID();
    this.#drafts.set(id, { mail, files: [] });
    const [oldest] = this.#drafts.keys();
    if (this.#drafts.size > MAX_DRAFTS && oldest !== undefined) this.remove(oldest);
    return id;
  }

  /** @throws {Refused} when there is no such draft */
  find(id: string): Draft {
    const draft = this.#drafts.get(id);
    if (draft !== undefined) return draft;
    throw new Refused({ kind: 'path', field: null, message: 'The specified object was not found in the store.' });
  }

  /** @throws {Refused} when there is no such draft */
  remove(id: string): void {
    this.find(id);
    this.#drafts.delete(id);
    for (const [token, { draft }] of this.#sessions) if (draft === id) this.#sessions.delete(token);
  }

  /** Begins a file of a draft. @returns what its parts are sent to @throws {Refused} */
  open(draft: string, facts: GraphFile, size: number): string {
    this.find(draft);
    if (size < MIN_FILE || size > MAX_FILE)
      refuseContent('AttachmentItem.size', `must be from ${MIN_FILE} to ${MAX_FILE} bytes`);
    const token = randomUUID();
    this.#sessions.set(token, { draft, facts, size, parts: [], received: 0 });
    return token;
  }

  /**
   * Takes a part of a file, in order.
   *
   * @param range what the header Content-Range says
   * @returns where the next begins; null when the file is whole
   * @throws {Refused}
   */
  upload(token: string, part: Buffer, range: string): number | null {
    const session = this.#sessions.get(token);
    if (session === undefined)
      throw new Refused({ kind: 'path', field: null, message: 'The upload session was not found.' });
    const { draft, facts, size, parts, received } = session;
    const expected = `bytes ${received}-${received + part.length - 1}/${size}`;
    if (range !== expected || part.length === 0 || received + part.length > size)
      refuseContent('Content-Range', `must be ${expected}, got ${range || 'none'}`);
    parts.push(part);
    session.received += part.length;
    if (session.received < size) return session.received;
    this.#sessions.delete(token);
    this.find(draft).files.push(graphFileOf(facts, Buffer.concat(parts)));
    return null;
  }
}
