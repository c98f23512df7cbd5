#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { argv, stderr, stdout } from 'node:process';
import { loadEnv } from '../app/load-env.ts';
import { nearestName } from '../util/nearest-name.ts';
import { quoted } from '../util/quotable.ts';
import { COMMANDS } from './commands.ts';
import { failureOf } from './failure.ts';
import { UsageError } from './usage-error.ts';

const HELP = `Usage: amsdal-mail <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}  ${summary}`)
  .join('\n')}

amsdal-mail <command> --help tells more, with examples; amsdal-mail --version says which one this is.
`;

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? stderr : stdout).write(HELP);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    stdout.write(`${version()}\n`);
    return 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    const near = nearestName(name, Object.keys(COMMANDS));
    const advice = near === null ? '' : `did you mean ${near}? `;
    throw new UsageError(`there is no command ${quoted(name)}; ${advice}amsdal-mail --help lists them`);
  }
  const command = await entry.load();
  if (args.includes('--help') || args.includes('-h')) {
    stdout.write(command.help);
    return 0;
  }
  loadEnv();
  return command.run(args);
}

function version(): string {
  const { version: ours }: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return ours;
}

/** Errors are one line on stderr, and with `--json` an object on stdout, too. */
function report(error: unknown): number {
  const failure = failureOf(error);
  if (failure === null) throw error;
  stderr.write(`${failure.line}\n`);
  if (argv.includes('--json')) stdout.write(`${JSON.stringify({ error: failure.json })}\n`);
  return failure.exitCode;
}

// Who reads no further, as `head` does, is no fault.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

void main(argv.slice(2))
  .catch(report)
  .then((code) => {
    process.exitCode = code;
  });
