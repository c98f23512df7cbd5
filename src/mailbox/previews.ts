import { existsSync, type FSWatcher, readdirSync, watch } from 'node:fs';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Arrival, summarize } from './caught-mail.ts';
import type { ShownMail } from './message-routes.ts';

const TIMEOUT_MS = 10_000;
const SETTLE_MS = 50;
const FILE = /^(?!.*\.(?:d|test|spec)\.)[^.].*\.(?:m?js|m?ts)$/;

/** What the thread that renders a preview answers. */
export type PreviewAnswer = Omit<Arrival, 'via'> | { readonly error: string };

/** A template's preview that could not be rendered; the message is for its author. */
export class PreviewError extends Error {}

/**
 * The templates of a folder: files that export `preview()`, which returns a message or its HTML. Nothing is sent.
 *
 * Each is rendered in a thread of its own, with everything it imports read anew.
 */
export class Previews {
  readonly #folder: string;
  readonly #rendered = new Map<string, Promise<ShownMail>>();
  readonly #watcher: FSWatcher | null;
  #settling: NodeJS.Timeout | null = null;

  /** @param onChange is called when a file has changed */
  constructor(folder: string, onChange: () => void) {
    this.#folder = resolve(folder);
    this.#watcher = existsSync(this.#folder) ? watch(this.#folder, { recursive: true, persistent: false }) : null;
    this.#watcher?.on('change', () => {
      if (this.#settling !== null) clearTimeout(this.#settling);
      this.#settling = setTimeout(() => {
        this.#rendered.clear();
        onChange();
      }, SETTLE_MS).unref();
    });
    this.#watcher?.on('error', () => this.#watcher?.close());
  }

  /** The names of the templates, as their paths without the extension. */
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
    const rendered = this.#rendered.get(name) ?? renderInThread(name, join(this.#folder, file));
    this.#rendered.set(name, rendered);
    return rendered;
  }

  close(): void {
    this.#watcher?.close();
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

async function renderInThread(name: string, file: string): Promise<ShownMail> {
  const answer = await new Promise<PreviewAnswer>((resolve) => {
    const worker = new Worker(new URL('./preview-worker.js', import.meta.url), { workerData: { file } });
    const timer = setTimeout(
      () => resolve({ error: `preview() took longer than ${TIMEOUT_MS / 1000} seconds` }),
      TIMEOUT_MS,
    );
    const end = (result: PreviewAnswer): void => {
      clearTimeout(timer);
      resolve(result);
    };
    worker.once('message', end);
    worker.once('error', (error) => end({ error: String(error) }));
    worker.once('exit', (code) => end({ error: `the preview ended its thread with code ${code}` }));
    timer.ref();
  });
  if ('error' in answer) throw new PreviewError(answer.error);
  const arrival: Arrival = { ...answer, via: 'preview' };
  return { summary: summarize(name, new Date(), arrival).summary, bytes: arrival.bytes };
}
