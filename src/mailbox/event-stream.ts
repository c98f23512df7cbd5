import type { ServerResponse } from 'node:http';
import { sendEvents } from './reply.ts';

/** A page that has more open than this is broken. */
const MAX_CLIENTS = 100;
/** Within this time changes are told together: ten thousand mails in a second are some thirty events. */
const BATCH_MS = 30;
/** Bytes that may wait for a page that does not read, as a tab that the system has put to sleep. */
const MAX_WAITING = 4_000_000;
const HEARTBEAT_MS = 20_000;

/** The open pages, which are told what changes (server-sent events, HTML standard). */
export class EventStream<E extends object> {
  readonly #clients = new Set<ServerResponse>();
  readonly #merge: (events: readonly E[]) => object;
  #waiting: E[] = [];
  #heartbeat: NodeJS.Timeout | null = null;

  /** @param merge makes one event of those of a batch */
  constructor(merge: (events: readonly E[]) => object) {
    this.#merge = merge;
  }

  /** Adds an open page; false when there are too many. */
  add(response: ServerResponse): boolean {
    if (this.#clients.size >= MAX_CLIENTS) return false;
    sendEvents(response);
    response.write('retry: 1000\n\n');
    this.#clients.add(response);
    response.once('close', () => this.#clients.delete(response));
    this.#heartbeat ??= setInterval(() => this.#write(':\n\n'), HEARTBEAT_MS).unref();
    return true;
  }

  /** Tells every page, soon and together with what else happens meanwhile. */
  push(event: E): void {
    if (this.#clients.size === 0) return;
    if (this.#waiting.push(event) > 1) return;
    setTimeout(() => {
      const events = this.#waiting;
      this.#waiting = [];
      this.emit('change', this.#merge(events));
    }, BATCH_MS).unref();
  }

  /** Tells every page at once. */
  emit(name: string, data: object): void {
    this.#write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  close(): void {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    for (const client of this.#clients) client.end();
  }

  #write(text: string): void {
    for (const client of this.#clients) {
      // It connects anew when it wakes up, and reads the list.
      if (client.writableLength > MAX_WAITING) client.destroy();
      else client.write(text);
    }
  }
}
