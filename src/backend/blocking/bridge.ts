import { FileContent } from '../../model/attachment.ts';
import { ConfigurationError, MessageError, SendError } from '../../model/errors.ts';
import type { EmailMessage } from '../../model/message.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import { ownFile } from '../../options/own-file.ts';
import type { DeliveryResult, Job } from '../job.ts';
import { type PackedResults, unpackResults, WORKER_ENDED, WORKER_RUNNING, WORKER_STARTING } from './codec.ts';
import type { Recipe } from './delivery.ts';

/** A request to the worker. */
export type SyncRequest =
  | { readonly kind: 'deliver'; readonly id: number; readonly recipe: Recipe; readonly jobs: readonly SyncJob[] }
  | { readonly kind: 'close'; readonly id: number };

/** A job that can be cloned: the message as its fields, with all contents as text or bytes. */
interface SyncJob {
  readonly index: number;
  readonly message: EmailMessageInit;
}

interface Bridge {
  /** Whether the worker has ended since the last call. */
  readonly hasEnded: boolean;
  call(request: SyncRequest): PackedResults;
}

/** How long the worker may take to start on a busy machine. */
const START_MS = 20_000;
const POLL_MS = 1000;
/**
 * Polls without a heartbeat after which the worker counts as dead: 30 s, longer than any one message keeps it busy. Polls are
 * counted instead of time, so that a machine that slept is not mistaken for a dead worker.
 */
const SILENT_POLLS = 30;

let bridge: Bridge | null = null;
let lastId = 0;

/** Delivers for one connection in the worker thread, which makes an equal one at the first call and keeps it. */
export class WorkerDelivery {
  readonly #recipe: Recipe;
  /** The worker's id of its connection, and of the one that tries once; null before the first call. */
  readonly #ids: Record<'full' | 'once', number | null> = { full: null, once: null };

  constructor(recipe: Recipe) {
    this.#recipe = recipe;
  }

  /**
   * @param name the connection's, for errors
   * @param fail makes the result of a job that failed, or whose outcome is unknown, because of `error`
   * @throws {ConfigurationError} `not-blocking` when an option of the connection cannot be passed to another thread.
   */
  deliver(
    name: string,
    jobs: readonly Job[],
    fail: (job: Job, error: unknown) => DeliveryResult,
  ): readonly DeliveryResult[] {
    // Whoever tries again itself has another connection there, without a `retry` of its own.
    const kind = jobs.every(({ isTriedOnce }) => isTriedOnce) && 'retry' in this.#recipe.options ? 'once' : 'full';
    const recipe = kind === 'once' ? withoutRetry(this.#recipe) : this.#recipe;
    refuseUncloneable(name, recipe.options);
    refuseOwnServer(recipe.options);
    this.#ids[kind] ??= ++lastId;
    const id = this.#ids[kind];
    const refused: DeliveryResult[] = [];
    const crossing: SyncJob[] = [];
    for (const job of jobs) {
      try {
        crossing.push({ index: job.index, message: inMemory(job.message) });
      } catch (error) {
        refused.push(fail(job, error));
      }
    }
    if (crossing.length === 0) return refused;
    try {
      if (bridge === null || bridge.hasEnded) bridge = startWorker();
      return [...unpackResults(bridge.call({ kind: 'deliver', id, recipe, jobs: crossing })), ...refused];
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      return jobs.map((job) => refused.find(({ index }) => index === job.index) ?? fail(job, error));
    }
  }

  /** Closes the other thread's connections, if there are any. */
  close(): void {
    for (const id of Object.values(this.#ids)) {
      if (id !== null && bridge !== null && !bridge.hasEnded) bridge.call({ kind: 'close', id });
    }
  }
}

function withoutRetry({ backend, options }: Recipe): Recipe {
  const { retry: _, ...others } = options as { readonly retry?: unknown };
  return { backend, options: others };
}

/**
 * Starts the one worker of the process. It counts its answers in shared memory, since a flag of 0 and 1 would be missed when an
 * answer arrives between the check and the wait. Next to the count are its state and its heartbeats: a worker that runs out of
 * memory ends without any event.
 */
function startWorker(): Bridge {
  const { MessageChannel, receiveMessageOnPort, Worker } = process.getBuiltinModule('node:worker_threads');
  const file = ownFile(import.meta.url, '../../blocking-worker.js', 'blocking calls need');
  const signal = new Int32Array(new SharedArrayBuffer(12));
  const { port1, port2 } = new MessageChannel();
  const startBy = Date.now() + START_MS;
  const worker = new Worker(file, {
    workerData: { signal, port: port2 },
    transferList: [port2],
    // A worker does not start when it inherits --input-type, which is meant for --eval, nor when it is passed flags of the
    // process such as --max-old-space-size, which it inherits anyway.
    ...(process.execArgv.some((flag) => flag.startsWith('--input-type')) && {
      execArgv: process.execArgv.filter(
        (flag, i, all) => !flag.startsWith('--input-type') && all[i - 1] !== '--input-type',
      ),
    }),
  });
  // Its end is seen in shared memory; without a listener its error would also end this process.
  worker.on('error', () => {});
  worker.on('exit', () => Atomics.store(signal, 1, WORKER_ENDED));
  worker.unref();
  port1.unref();
  let asked = 0;
  return {
    get hasEnded() {
      return Atomics.load(signal, 1) === WORKER_ENDED;
    },
    call(request) {
      port1.postMessage(request);
      asked++;
      let beats = Atomics.load(signal, 2);
      let silence = 0;
      for (let answered = Atomics.load(signal, 0); answered < asked; answered = Atomics.load(signal, 0)) {
        const state = Atomics.load(signal, 1);
        const isSilent = state === WORKER_RUNNING && silence >= SILENT_POLLS;
        if (state === WORKER_ENDED || isSilent || (state === WORKER_STARTING && Date.now() > startBy)) {
          bridge = null;
          void worker.terminate();
          throw state === WORKER_STARTING ? notStarted(file) : workerEnded();
        }
        // A sleeping thread receives no events of the worker, so it wakes up now and then.
        Atomics.wait(signal, 0, answered, POLL_MS);
        const beat = Atomics.load(signal, 2);
        silence = beat === beats ? silence + 1 : 0;
        beats = beat;
      }
      // What the worker posts is PackedResults: both ends are in this package.
      return receiveMessageOnPort(port1)?.message as PackedResults;
    },
  };
}

function notStarted(file: string): ConfigurationError {
  return new ConfigurationError('load-failed', `blocking calls need a worker thread, but ${file} did not start`);
}

function workerEnded(): SendError {
  return new SendError(
    'uncertain',
    'the worker thread of blocking calls ended in the middle of a call (did a backend end the process, or was there too little memory?): mails may or may not have been sent',
    { phase: 'request', outcome: 'unknown' },
  );
}

/** The message as its fields, with contents that can be cloned. */
function inMemory(message: EmailMessage): EmailMessageInit {
  const attachments = message.attachments.map(({ filename, content, mimetype, contentId }, index) => {
    const held = content instanceof FileContent ? content.readSync() : content;
    if (typeof held === 'string') return { filename, content: held, mimetype, contentId };
    // Cloning would copy the whole memory behind a view: copy only the bytes in use.
    if (held instanceof Uint8Array) {
      const isPart = held.byteLength < held.buffer.byteLength;
      return { filename, content: isPart ? new Uint8Array(held) : held, mimetype, contentId };
    }
    throw new MessageError([
      {
        path: `attachments[${index}].content`,
        code: 'type',
        message: 'a blocking call cannot read a Blob or a stream; give a string, bytes or Attachment.fromFile',
      },
    ]);
  });
  return { ...message, attachments };
}

function refuseUncloneable(name: string, options: object): void {
  const names = Object.entries(options).flatMap(([option, value]) => findUncloneable(option, value));
  if (names.length === 0) return;
  throw new ConfigurationError(
    'not-blocking',
    `a blocking call cannot use a '${name}' connection with ${names.join(', ')}: functions and objects of classes cannot cross to the worker thread`,
  );
}

/** The paths of values that cloning would change. */
function findUncloneable(path: string, value: unknown): readonly string[] {
  if (typeof value === 'function' || typeof value === 'symbol') return [path];
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) return [];
  if (!Array.isArray(value) && !isPlain(value)) return [path];
  return Object.entries(value).flatMap(([name, inner]) => findUncloneable(`${path}.${name}`, inner));
}

/** In any realm: objects made in Jest have an `Object.prototype` of their own. */
function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A server in the blocked thread cannot answer: fail at once instead of waiting for a timeout. */
function refuseOwnServer(options: object): void {
  if (!('port' in options && typeof options.port === 'number')) return;
  if ('proxy' in options && options.proxy !== undefined) return; // the proxy's localhost may be another machine
  const { Server } = process.getBuiltinModule('node:net');
  // The only way to find this process's servers; deprecated, but present in every Node version we support.
  const handles = (process as unknown as { _getActiveHandles?(): unknown[] })._getActiveHandles?.() ?? [];
  for (const handle of handles) {
    const address = handle instanceof Server ? handle.address() : null;
    if (typeof address === 'object' && address?.port === options.port && isLoopback(options)) {
      throw new ConfigurationError(
        'not-blocking',
        `port ${options.port} is served by this very thread, which a blocking call would block: use sendMail, or move the server to another process`,
      );
    }
  }
}

function isLoopback(options: object): boolean {
  const host = 'host' in options ? options.host : 'localhost';
  return (
    host === undefined ||
    host === 'localhost' ||
    host === '::1' ||
    (typeof host === 'string' && host.startsWith('127.'))
  );
}
