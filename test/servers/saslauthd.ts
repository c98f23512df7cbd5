import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemPath, until } from './process.ts';

/** Who may log in. */
export const USER = 'jane@example.test';
export const PASSWORD = 'pässword with "quotes" and \\';

/** The mechanisms that Cyrus SASL offers, though saslauthd can judge a password only when it is given one. */
const OFFERED = 'SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN';

/**
 * A real saslauthd, as Cyrus SASL asks it in Postfix. It takes a password for right if an IMAP server does, which is a few
 * lines here and tells every login that was tried. A mechanism that needs the password itself finds no file of passwords, or
 * one that it may not read, as Debian's package leaves it.
 */
export class Saslauthd implements AsyncDisposable {
  readonly postfixSettings =
    'smtpd_sasl_type = cyrus\nsmtpd_sasl_path = smtpd\ncyrus_sasl_config_path = $config_directory/sasl\n';
  readonly saslConfiguration: string;
  /** The passwords that were tried so far. */
  readonly tried: readonly string[];
  readonly #folder: string;
  readonly #imap: Server;
  readonly #daemon: ChildProcess;

  private constructor(folder: string, imap: Server, tried: readonly string[]) {
    this.#folder = folder;
    this.#imap = imap;
    this.tried = tried;
    this.saslConfiguration = `pwcheck_method: saslauthd\nsaslauthd_path: ${folder}/mux\nmech_list: ${OFFERED}\nsasldb_path: ${folder}/sasldb\n`;
    const { port } = imap.address() as AddressInfo; // it listens on TCP
    const args = ['-d', '-a', 'rimap', '-O', `127.0.0.1/${port}`, '-m', folder, '-n', '1', '-r'];
    // Its own group, as it ends its whole group when it is ended.
    this.#daemon = spawn('saslauthd', args, {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, PATH: systemPath() },
    });
  }

  /** Starts a saslauthd in a folder of its own. */
  static async start(passwords: 'missing' | 'unreadable' = 'missing'): Promise<Saslauthd> {
    const folder = await mkdtemp(join(tmpdir(), 'saslauthd-'));
    await chmod(folder, 0o755);
    if (passwords === 'unreadable') await writeFile(join(folder, 'sasldb'), '', { mode: 0o600 });
    const tried: string[] = [];
    const imap = createServer((socket) => serveImap(socket, tried));
    await new Promise<void>((resolve) => imap.listen(0, '127.0.0.1', resolve));
    const saslauthd = new Saslauthd(folder, imap, tried);
    try {
      await until(
        () => existsSync(join(folder, 'mux')),
        () => 'saslauthd has no socket',
      );
    } catch (error) {
      await saslauthd.stop();
      throw error;
    }
    return saslauthd;
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#daemon;
    this.#daemon.kill('SIGTERM');
    if (exitCode === null && signalCode === null) await once(this.#daemon, 'exit');
    await new Promise((resolve) => this.#imap.close(resolve));
    await rm(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** LOGIN and LOGOUT of IMAP (RFC 9051, 6.2.3), with the quoted strings that saslauthd sends. */
function serveImap(socket: Socket, tried: string[]): void {
  socket.on('error', () => {}); // it hangs up as it likes, even behind the last line, when nobody reads lines any more
  socket.write('* OK ready\r\n');
  const lines = createInterface({ input: socket });
  lines.on('error', () => {}); // an error of the socket is the interface's too
  lines.on('line', (line) => {
    const [tag = '*', command = ''] = line.split(' ');
    if (command !== 'LOGIN') {
      socket.end(`${tag} OK done\r\n`);
      return;
    }
    const [user, password = ''] = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
      text.replace(/\\(.)/g, '$1'),
    );
    tried.push(password);
    socket.write(user === USER && password === PASSWORD ? `${tag} OK done\r\n` : `${tag} NO wrong\r\n`);
  });
}
