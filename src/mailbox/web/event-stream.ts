import type { ServerResponse } from 'node:http';
import { sendEvents } from './reply.ts';

/** Only a broken page opens more. */
const MAX_CLIENTS = 100;
/** Changes within this time are one event: ten thousand mails in a second make about thirty. */
const BATCH_MS = 30;
/** Bytes that are buffered for a page that does not read, such as a sleeping tab. */
const MAX_BUFFERED = 4_000_000;
const HEARTBEAT_MS = 20_000;

/** Notifies the open pages of changes (server-sent events, HTML standard). */
export class EventStream<E extends object> {
  readonly #clients = new Set<ServerResponse>();
  readonly #merge: (events: readonly E[]) => object;
  #batch: E[] = [];
  #heartbeat: NodeJS.Timeout | null = null;

  /** @param merge makes one event out of a batch */
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

  /** Sends an event to every page soon, merged with those that follow within 30 ms. */
  push(event: E): void {
    if (this.#clients.size === 0) return;
    if (this.#batch.push(event) > 1) return;
    setTimeout(() => {
      const events = this.#batch;
      this.#batch = [];
      this.emit('change', this.#merge(events));
    }, BATCH_MS).unref();
  }

  /** Sends an event to every page now. */
  emit(name: string, data: object): void {
    this.#write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  close(): void {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    for (const client of this.#clients) client.end();
  }

  #write(text: string): void {
    for (const client of this.#clients) {
      // It reconnects when it wakes up, and reads the list again.
      if (client.writableLength > MAX_BUFFERED) client.destroy();
      else client.write(text);
    }
  }
}
