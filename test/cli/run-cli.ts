import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The command line as it is built. */
export const CLI: string = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** How a run of the command line ended, and what it printed. */
export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is run. */
export interface CliOptions {
  /** Default: a folder without `.env`. */
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What is piped in; without it stdin is /dev/null. */
  readonly input?: string | Uint8Array;
}

/** What of this process's environment a command needs to run; none of its settings. */
const INHERITED = ['PATH', 'HOME', 'NODE_V8_COVERAGE'].flatMap((name) => {
  const value = process.env[name];
  return value === undefined ? [] : [[name, value] as const];
});

/** Runs the built `amsdal-mail` to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  return ended(startCli(args, options));
}

/** Starts the built `amsdal-mail`. */
export function startCli(args: readonly string[], { env, cwd = tmpdir(), input }: CliOptions = {}): ChildProcess {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { ...Object.fromEntries(INHERITED), ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.on('error', () => {}); // a command that reads nothing closes it
  child.stdin?.end(input);
  return child;
}

/** Waits for the end. */
export async function ended(child: ChildProcess): Promise<CliRun> {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, ...output };
}
