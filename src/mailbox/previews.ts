import { existsSync, type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ownFile } from '../options/own-file.ts';
import { type Arrival, summarize } from './store/caught-mail.ts';
import type { ShownMail } from './web/message-routes.ts';

const TIMEOUT_MS = 10_000;
const SETTLE_MS = 50;
const FILE = /^(?!.*\.(?:d|test|spec)\.)[^.].*\.(?:m?js|m?ts)$/;

/** The message of the thread that renders a preview. */
export type PreviewAnswer = Omit<Arrival, 'via'> | { readonly error: string };

/** A preview that could not be rendered; the message is for its author. */
export class PreviewError extends Error {}

/**
 * The templates of a folder: files that export `preview()`, which returns a message or its HTML. Nothing is sent.
 *
 * Each is rendered in a thread of its own, so that everything it imports is loaded again.
 */
export class Previews {
  readonly #folder: string;
  readonly #rendered = new Map<string, Promise<ShownMail>>();
  readonly #onChange: () => void;
  readonly #closed = new AbortController();
  #watcher: FSWatcher | null = null;
  /** Identifies the watched folder, which may be deleted and made again; null while there is none. */
  #watched: string | null = null;
  #settling: NodeJS.Timeout | null = null;

  /** @param onChange called when a file has changed */
  constructor(folder: string, onChange: () => void) {
    this.#folder = resolve(folder);
    this.#onChange = onChange;
    this.#watch();
  }

  /** The names of the templates: their paths without the extension. */
  names(): readonly string[] {
    return [...this.#files().keys()];
  }

  /**
   * Renders a template, unless it is rendered already; null when there is no such template.
   *
   * @throws {PreviewError} when its code fails
   */
  async render(name: string): Promise<ShownMail | null> {
    const file = this.#files().get(name);
    if (file === undefined) return null;
    const known = this.#rendered.get(name);
    if (known !== undefined) return known;
    const rendered = renderInThread(name, join(this.#folder, file), this.#closed.signal);
    this.#rendered.set(name, rendered);
    const forget = (): void => {
      if (this.#rendered.get(name) === rendered) this.#rendered.delete(name);
    };
    // The cause of a failure may be outside the folder, where changes are not watched.
    rendered.then(() => this.#watched === null && forget(), forget);
    return rendered;
  }

  close(): void {
    this.#watcher?.close();
    this.#closed.abort();
  }

  #watch(): void {
    this.#watcher?.close();
    this.#watched = this.#identity();
    const isThere = this.#watched !== null;
    const place = isThere ? this.#folder : dirname(this.#folder);
    this.#watcher = existsSync(place) ? watch(place, { recursive: isThere, persistent: false }) : null;
    this.#watcher?.on('change', (_, path) => {
      if (!isThere && path !== basename(this.#folder)) return;
      if (this.#settling !== null) clearTimeout(this.#settling);
      this.#settling = setTimeout(() => this.#settle(), SETTLE_MS).unref();
    });
    this.#watcher?.on('error', () => {
      this.#watcher?.close();
      this.#watched = null;
    });
  }

  #settle(): void {
    if (this.#closed.signal.aborted) return;
    if (this.#identity() !== this.#watched) this.#watch();
    this.#rendered.clear();
    this.#onChange();
  }

  #identity(): string | null {
    const found = statSync(this.#folder, { throwIfNoEntry: false });
    return found === undefined ? null : `${found.ino} ${found.birthtimeMs}`;
  }

  #files(): ReadonlyMap<string, string> {
    if (!existsSync(this.#folder)) return new Map();
    const files = readdirSync(this.#folder, { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => FILE.test(path) && !path.includes('node_modules/') && !/(?:^|\/)[._]/.test(path))
      .sort();
    return new Map(files.map((path) => [path.replace(/\.m?[jt]s$/, ''), path]));
  }
}

async function renderInThread(name: string, file: string, closed: AbortSignal): Promise<ShownMail> {
  const worker = new Worker(ownFile(import.meta.url, './preview-worker.js', 'previews need'), { workerData: { file } });
  worker.unref();
  const end = (): void => void worker.terminate();
  closed.addEventListener('abort', end);
  let timer: NodeJS.Timeout | undefined;
  const answer = await new Promise<PreviewAnswer>((resolve) => {
    const text = `preview() took longer than ${TIMEOUT_MS / 1000} seconds`;
    timer = setTimeout(resolve, TIMEOUT_MS, { error: text }).unref();
    worker.once('message', resolve);
    worker.once('error', (error) => resolve({ error: String(error) }));
    worker.once('exit', (code) => resolve({ error: `the preview ended its thread with code ${code}` }));
  });
  clearTimeout(timer);
  closed.removeEventListener('abort', end);
  end(); // a timer that the template has started would keep the thread alive
  if ('error' in answer) throw new PreviewError(answer.error);
  const arrival: Arrival = { ...answer, via: 'preview' };
  return { summary: summarize(name, new Date(), arrival).summary, bytes: arrival.bytes };
}
