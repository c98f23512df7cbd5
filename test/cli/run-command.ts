import { tmpdir } from 'node:os';
import { vi } from 'vitest';
import { loadEnv } from '../../src/options/load-env.ts';
// What is loaded on demand is loaded before the first test, whose time it would take on a busy machine.
import '../../src/backends/smtp/engine.ts';
import '../../src/cli/send/send-command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { failureOf } from '../../src/cli/failure.ts';
import type { CliOptions, CliRun } from './run-cli.ts';

const HOME = process.cwd();

/**
 * Runs a command in this process, one at a time: a process of its own costs many times what the command does. That the built
 * command line starts, ends with this exit code and prints the same is for `runCli` to see, in a few tests.
 */
export async function runCommand(
  [name = '', ...args]: readonly string[],
  { cwd = tmpdir(), env = {} }: Omit<CliOptions, 'input'> = {},
): Promise<CliRun> {
  const output = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      output[stream] += text;
      return true;
    }),
  );
  process.chdir(cwd);
  const restoreEnv = loadEnv({ env });
  try {
    const command = await COMMANDS[name]?.load();
    const code = await command?.run(args);
    return { code: code ?? null, ...output };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === null) throw error;
    const json = args.includes('--json') ? `${JSON.stringify({ error: failure.json })}\n` : '';
    return { code: failure.exitCode, stdout: output.stdout + json, stderr: `${output.stderr}${failure.line}\n` };
  } finally {
    restoreEnv();
    process.chdir(HOME);
    for (const spy of spies) spy.mockRestore();
  }
}

/** What a command says besides how far it is, which it says to who waits long for a busy machine. */
export function withoutProgress({ stderr, ...run }: CliRun): CliRun {
  return { ...run, stderr: stderr.replaceAll(/^[\d,]+ sent of .*\n/gm, '') };
}
