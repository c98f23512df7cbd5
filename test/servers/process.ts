import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Runs a program to its end. @throws with what it printed when it fails */
export async function run(program: string, args: readonly string[], input?: string): Promise<string> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, PATH: systemPath() } });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdin.on('error', () => {}); // a program that reads nothing closes it
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${output}${errors}`);
  return output;
}

/** PATH with the folders of system programs, which a user's PATH may lack. */
export function systemPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
}

/** Below those that Linux gives to whoever connects or asks for any port, so that nobody gets one before its server listens. */
const FIRST_PORT = 12_000;
/** How many ports each of ten workers has for itself: they look for free ones at the same time. */
const PORTS_A_WORKER = 2_000;
const taken = new Set<number>();

/** Ports of 127.0.0.1 that nobody listens on, and that are given once. */
export async function freePorts(count: number): Promise<number[]> {
  const from = FIRST_PORT + (Number(process.env['VITEST_POOL_ID'] ?? 0) % 10) * PORTS_A_WORKER;
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(from, from + PORTS_A_WORKER);
    if (taken.has(port)) continue;
    taken.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Waits until a check holds, asking every 20 ms. @throws with `describe()` when it does not within `timeoutMs` */
export async function until(
  check: () => boolean | Promise<boolean>,
  describe: () => string,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
