import { optionalRequire } from '../../../options/optional-package.ts';
import { failure, isAuthFault, noConnection, refused } from './failure.ts';
import type { BullModule, BullQueue, RedisClient } from './redis.ts';
import { SCRIPTS, type ScriptName } from './scripts.ts';

/** Of the keys as this package makes and uses them. */
const VERSION = 2;
/** How long a connection that was lost is waited for. */
const READY_MS = 5_000;
/** What a connection of our own does: a call that is answered by nobody fails soon, and is not kept for later. */
const RETRIES = { maxRetriesPerRequest: 1, retryStrategy: (times: number): number => Math.min(times * 100, 2_000) };

interface Opened {
  readonly queue: BullQueue;
  readonly client: RedisClient;
  readonly base: string;
}

/** The queue of BullMQ whose connection the store uses, opened when it is first needed. */
export class Session {
  readonly #connection: object;
  readonly #name: string;
  readonly #prefix: string;
  #opening: Promise<Opened> | null = null;
  /** What the connection last failed with. */
  #fault: unknown;

  constructor(connection: object, name: string, prefix: string) {
    this.#connection = connection;
    this.#name = name;
    this.#prefix = prefix;
  }

  /** What a script answers. @param what it is for, as `claim mails` */
  async run(what: string, script: ScriptName, values: readonly (string | number)[] = []): Promise<unknown> {
    const { client, base } = await this.#open(what);
    await this.#ready(client, what);
    try {
      const answer = await client.runCommand(commandOf(script), [base, ...values]);
      // No script answers so: a client that is being closed does, whatever became of the call.
      if (answer == null) throw new Error('the client was closed');
      return answer;
    } catch (error) {
      throw failure(what, error);
    }
  }

  /** A connection of its own, and the name of the stream that tells of new mails. */
  async listener(): Promise<{ readonly client: RedisClient; readonly key: string }> {
    const { client, base } = await this.#open('listen');
    return { client: client.duplicate(), key: `${base}wake` };
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = null;
    const opened = await opening?.catch(() => null);
    await opened?.queue.close().catch(() => {}); // of a connection that is lost already
  }

  #open(what: string): Promise<Opened> {
    this.#opening ??= this.#connect(what).catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #connect(what: string): Promise<Opened> {
    const { Queue } = optionalRequire<BullModule>('bullmq', 'an outbox in Redis');
    const isClient = 'duplicate' in this.#connection;
    const connection = isClient ? this.#connection : { ...RETRIES, ...this.#connection };
    const settings = { connection, prefix: this.#prefix, skipVersionCheck: true, skipWaitingForReady: true };
    const queue = new Queue(this.#name, settings);
    queue.on('error', (error) => {
      this.#fault = error; // whoever waits for an answer is told
    });
    try {
      const client = await queue.getBackend().client;
      const base = `${queue.toKey('outbox')}:`;
      if (client.isCluster && !/\{[^}]+\}/.test(base)) {
        throw refused(
          'prefix',
          "must have a part in braces in a Redis Cluster, as '{bull}': all keys are on one node then",
        );
      }
      await this.#ready(client, what);
      checkServer(await client.info());
      for (const [name, lua] of Object.entries(SCRIPTS))
        client.defineCommand(`amsdalMail:${name}`, { numberOfKeys: 1, lua });
      const version = Number(await client.runCommand(commandOf('open'), [base, VERSION]));
      if (version > VERSION) {
        const found = `the outbox is of version ${version}, and this version of amsdal-mail knows them up to ${VERSION}`;
        throw refused('connection', `${found}: update it`);
      }
      for (let behind: unknown = ''; version < VERSION; ) {
        behind = await client.runCommand(commandOf('convert'), [base, String(behind), VERSION]);
        if (behind === '') break;
      }
      return { queue, client, base };
    } catch (error) {
      void queue.close().catch(() => {});
      throw failure(what, error);
    }
  }

  /** Resolves once commands go to the server at once: what waits for a connection may be sent long after it was given up. */
  async #ready(client: RedisClient, what: string): Promise<void> {
    const isReady = () => client.status === 'ready' || (client.isCluster && client.status === 'connect');
    if (isReady()) return;
    await new Promise<void>((resolve) => {
      const stop = () => {
        clearTimeout(timer);
        client.off('ready', stop);
        client.off('end', stop);
        client.off('error', onError);
        resolve();
      };
      // A wrong password does not become right.
      const onError = (error?: Error) => {
        if (isAuthFault(error)) stop();
      };
      const timer = setTimeout(stop, READY_MS);
      client.on('ready', stop);
      client.on('end', stop);
      client.on('error', onError);
      if (client.status === 'end') stop();
    });
    if (!isReady()) throw noConnection(what, this.#fault);
  }
}

const commandOf = (script: ScriptName): string => `amsdalMail:${script}`;

/** @throws {ConfigurationError} `invalid-option` where Redis may delete mails by itself. */
function checkServer(info: string): void {
  const [, policy = 'noeviction'] = /^maxmemory_policy:(\S+)/m.exec(info) ?? [];
  if (policy !== 'noeviction') {
    throw refused(
      'connection',
      `Redis must not delete mails when it is full: set maxmemory-policy noeviction, it is ${policy}`,
    );
  }
  if (!/^aof_enabled:0/m.test(info)) return;
  const text =
    'the outbox is in a Redis that forgets mails when it crashes: set appendonly yes, and appendfsync always';
  process.emitWarning(text, { type: 'AmsdalMailWarning', code: 'no-persistence' });
}
