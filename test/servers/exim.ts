import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, until } from './process.ts';

/** Where `scripts/get-exim.sh` puts it. */
const UNPACKED = fileURLToPath(new URL('../../.cache/exim', import.meta.url));

/** The numbers of `nobody`, for the user that Debian's Exim is built to run as. */
const NOBODY = 65_534;

/** A mail that Exim has taken, as its main log has it. */
export interface TakenMail {
  readonly messageId: string;
  /** The process that had the connection; one connection, one process. */
  readonly pid: string;
}

/**
 * A real Exim on loopback, with its defaults for everything that a client sees: after 1,000 mails a connection is ended with
 * 421. It refuses recipients whose local part begins with `unknown` (550); what it takes stays in its queue.
 */
export class Exim implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #daemon: ChildProcess;

  private constructor(folder: string, port: number) {
    this.port = port;
    this.#folder = folder;
    this.#daemon = spawn(join(UNPACKED, 'exim4'), ['-C', join(folder, 'exim.conf'), '-bdf'], {
      stdio: 'ignore',
      env: {
        ...process.env,
        LD_PRELOAD: join(UNPACKED, 'libnss_wrapper.so'),
        NSS_WRAPPER_PASSWD: join(folder, 'passwd'),
        NSS_WRAPPER_GROUP: join(folder, 'group'),
      },
    });
  }

  /** Starts an Exim in a folder of its own. */
  static async start(): Promise<Exim> {
    const folder = await mkdtemp(join(tmpdir(), 'exim-'));
    await chmod(folder, 0o755);
    const [port = 0] = await freePorts(1);
    for (const name of ['spool', 'log']) {
      await mkdir(join(folder, name));
      await chown(join(folder, name), NOBODY, NOBODY);
    }
    await writeFile(join(folder, 'passwd'), `root:x:0:0::/:\nDebian-exim:x:${NOBODY}:${NOBODY}::/:\n`);
    await writeFile(join(folder, 'group'), `root:x:0:\nDebian-exim:x:${NOBODY}:\n`);
    await writeFile(join(folder, 'exim.conf'), configuration(folder, port));
    const exim = new Exim(folder, port);
    try {
      await until(
        () => exim.log().includes('listening for SMTP'),
        () => exim.log(),
      );
    } catch (error) {
      await exim.stop();
      throw error;
    }
    return exim;
  }

  /** What Exim logged. */
  log(): string {
    const path = join(this.#folder, 'log/mainlog');
    return existsSync(path) ? readFileSync(path, 'utf8') : '(no log)';
  }

  /** Every mail that Exim has taken, in order. */
  taken(): TakenMail[] {
    return [...this.log().matchAll(/^\S+ \S+ \[(\d+)\] \S+ <= .* id=(\S+)/gm)].map(([, pid = '', messageId = '']) => ({
      messageId,
      pid,
    }));
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#daemon;
    this.#daemon.kill('SIGTERM');
    if (exitCode === null && signalCode === null) await once(this.#daemon, 'exit');
    await rm(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function configuration(folder: string, port: number): string {
  return `
primary_hostname = localhost
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
log_selector = +pid
pid_file_path = ${folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
keep_environment =
# What is taken stays in the queue. A client sees nothing of it.
queue_only
# The default lets nobody in.
acl_smtp_rcpt = recipient

begin acl
recipient:
  deny local_parts = ^unknown
       message = User unknown
  accept
`;
}
