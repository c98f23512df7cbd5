import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool, type PoolConfig } from 'pg';
import { postgresProgram } from '../programs.ts';
import { freePorts, run, until } from './process.ts';

/** A real Postgres on loopback, a cluster of its own with the settings that `initdb` gives one. */
export class Postgres implements AsyncDisposable {
  readonly #folder: string;
  readonly #port: number;
  readonly #ids: Ids;
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, port: number, ids: Ids) {
    this.#folder = folder;
    this.#port = port;
    this.#ids = ids;
  }

  static async start(): Promise<Postgres> {
    const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
    const [port = 0] = await freePorts(1);
    const postgres = new Postgres(folder, port, await ids());
    try {
      const { uid, gid } = postgres.#ids;
      if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
      await postgres.#initialize();
      await postgres.launch();
    } catch (error) {
      await postgres.stop();
      throw error;
    }
    return postgres;
  }

  /** What connects to it as its superuser. */
  config(config: PoolConfig = {}): PoolConfig {
    return { host: '127.0.0.1', port: this.#port, user: 'postgres', database: 'postgres', ...config };
  }

  /** A pool whose lost connections are no errors of the test. */
  pool(config: PoolConfig = {}): Pool {
    const pool = new Pool(this.config(config));
    pool.on('error', () => {});
    return pool;
  }

  /** Starts the server, and waits until it can be asked. */
  async launch(): Promise<void> {
    const settings = ['-D', this.#data, '-h', '127.0.0.1', '-p', String(this.#port), '-k', this.#folder];
    const child = spawn(postgresProgram('postgres'), settings, { ...this.#ids, stdio: 'ignore', env: ENVIRONMENT });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('close', resolve));
    const pool = this.pool({ max: 1 });
    try {
      await until(
        () =>
          pool.query('SELECT 1').then(
            () => true,
            () => {
              if (child.exitCode !== null) throw new Error(`Postgres ended with ${child.exitCode}`);
              return false;
            },
          ),
        () => `Postgres does not answer on port ${this.#port}`,
      );
    } finally {
      await pool.end();
    }
  }

  /** Ends the server: `SIGINT`, in good order, whoever is connected; `SIGKILL`, at once. */
  async end(signal: 'SIGINT' | 'SIGKILL' = 'SIGINT'): Promise<void> {
    const pids = signal === 'SIGKILL' ? this.#processes() : [];
    this.#child?.kill(signal);
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // it has ended by itself
      }
    }
    await this.#exited;
    this.#child = undefined;
  }

  /** A crash, and what an operator does then. */
  async killAndLaunch(): Promise<void> {
    await this.end('SIGKILL');
    // A process that it began while it was killed has its memory still, and no other server may start meanwhile.
    let failure: unknown;
    const launch = () =>
      this.launch().then(
        () => true,
        (error: unknown) => {
          failure = error;
          return false;
        },
      );
    await until(launch, () => `Postgres does not start again: ${failure}`);
  }

  async stop(): Promise<void> {
    await this.end();
    await rm(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  async #initialize(): Promise<void> {
    const child = spawn(postgresProgram('initdb'), ['-D', this.#data, '-U', 'postgres'], {
      ...this.#ids,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: ENVIRONMENT,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (status !== 0) throw new Error(`initdb ended with ${status}:\n${output}`);
  }

  /** The children of the server, which would write on for a moment when it is killed. */
  #processes(): number[] {
    const pid = this.#child?.pid;
    const path = `/proc/${pid}/task/${pid}/children`;
    return existsSync(path) ? readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number) : [];
  }
}

interface Ids {
  readonly uid?: number;
  readonly gid?: number;
}

/** What it is not given decides the encoding of databases. */
const ENVIRONMENT = { ...process.env, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };

/** Postgres refuses to run as root: it runs as the user of Debian's package then. */
async function ids(): Promise<Ids> {
  if (process.getuid?.() !== 0) return {};
  return { uid: Number(await run('id', ['-u', 'postgres'])), gid: Number(await run('id', ['-g', 'postgres'])) };
}
