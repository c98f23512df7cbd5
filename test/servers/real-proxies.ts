import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, until } from './process.ts';

/** Where `scripts/get-proxies.sh` puts them. */
const UNPACKED = fileURLToPath(new URL('../../.cache/proxies', import.meta.url));

/** Who may use a {@link RealProxy}. */
export interface ProxyLogin {
  readonly username: string;
  readonly password: string;
}

/** A proxy on loopback that is not of this project. */
export class RealProxy implements AsyncDisposable {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(program: string, args: readonly string[], folder: string, port: number) {
    this.port = port;
    this.#folder = folder;
    this.#process = spawn(join(UNPACKED, program), args, { stdio: 'ignore' });
  }

  /** Starts a tinyproxy that allows CONNECT to one port. */
  static async tinyproxy({ username, password }: ProxyLogin, allowed: number): Promise<RealProxy> {
    const folder = mkdtempSync(join(tmpdir(), 'tinyproxy-'));
    const [port = 0] = await freePorts(1);
    const settings = ['Listen 127.0.0.1', `Port ${port}`, 'Timeout 60', 'Allow 127.0.0.1', `ConnectPort ${allowed}`];
    settings.push(`BasicAuth ${username} ${password}`, `LogFile "${join(folder, 'log')}"`);
    writeFileSync(join(folder, 'conf'), `${settings.join('\n')}\n`);
    return RealProxy.#start('tinyproxy', ['-d', '-c', join(folder, 'conf')], folder, port);
  }

  /** Starts a microsocks. */
  static async microsocks({ username, password }: ProxyLogin | { readonly [name: string]: never }): Promise<RealProxy> {
    const folder = mkdtempSync(join(tmpdir(), 'microsocks-'));
    const [port = 0] = await freePorts(1);
    const login = username === undefined ? [] : ['-u', username, '-P', password ?? ''];
    return RealProxy.#start('microsocks', ['-i', '127.0.0.1', '-p', String(port), ...login], folder, port);
  }

  static async #start(program: string, args: readonly string[], folder: string, port: number): Promise<RealProxy> {
    const proxy = new RealProxy(program, args, folder, port);
    try {
      await until(
        () => answers(port),
        () => `${program} at port ${port}, exit code ${proxy.#process.exitCode}`,
      );
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    this.#process.kill('SIGTERM');
    if (exitCode === null && signalCode === null) await once(this.#process, 'exit');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
