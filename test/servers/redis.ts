import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis as Client } from 'ioredis';
import { freePorts, until } from './process.ts';

/** Each mark on disk before it is answered. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** A real Redis on loopback that keeps what it has in a folder of its own. */
export class Redis implements AsyncDisposable {
  readonly #folder: string;
  readonly #port: number;
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, port: number, settings: readonly string[]) {
    this.#folder = folder;
    this.#port = port;
    this.#settings = settings;
  }

  /** @param settings as on its command line */
  static async start(settings: readonly string[] = DURABLE): Promise<Redis> {
    const folder = await mkdtemp(join(tmpdir(), 'redis-'));
    const [port = 0] = await freePorts(1);
    const redis = new Redis(folder, port, settings);
    try {
      await redis.launch();
    } catch (error) {
      await redis.stop();
      throw error;
    }
    return redis;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}/0`;
  }

  /** A client whose lost connections are no errors of the test. */
  client(): Client {
    const client = new Client({ host: '127.0.0.1', port: this.#port, maxRetriesPerRequest: 1 });
    client.on('error', () => {});
    return client;
  }

  /** Starts the server, and waits until it can be asked. */
  async launch(): Promise<void> {
    const place = ['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', ''];
    const child = spawn('/usr/bin/redis-server', [...place, ...this.#settings], { stdio: 'ignore' });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('close', resolve));
    const client = this.client();
    try {
      await until(
        () =>
          client.ping().then(
            () => true,
            ({ message }: Error) => {
              if (message.startsWith('NOAUTH')) return true;
              if (child.exitCode !== null) throw new Error(`Redis ended with ${child.exitCode}`);
              return false;
            },
          ),
        () => `Redis does not answer on port ${this.#port}`,
      );
    } finally {
      client.disconnect();
    }
  }

  /** Ends the server: `SIGTERM`, in good order; `SIGKILL`, at once. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#child?.kill(signal);
    await this.#exited;
    this.#child = undefined;
  }

  /** A crash, and what an operator does then. */
  async killAndLaunch(): Promise<void> {
    await this.end('SIGKILL');
    await this.launch();
  }

  /** What it has on disk. */
  async written(): Promise<string> {
    const copy = join(this.#folder, 'copy');
    await cp(join(this.#folder, 'appendonlydir'), copy, { recursive: true });
    return copy;
  }

  /** A crash of its machine: what was written after `written` was not on disk. */
  async forget(copy: string): Promise<void> {
    await this.end('SIGKILL');
    await rm(join(this.#folder, 'appendonlydir'), { recursive: true });
    await rename(copy, join(this.#folder, 'appendonlydir'));
    await this.launch();
  }

  async stop(): Promise<void> {
    await this.end();
    await rm(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
