#!/usr/bin/env node
import { stderr, stdout } from 'node:process';
import { EmailError } from '../errors.ts';
import { type Command, UsageError } from './command.ts';

/** Every command: what it does in a line, and where it is. */
const COMMANDS: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  mailbox: {
    summary: 'catch mail and show it in a page',
    load: async () => (await import('./mailbox-command.ts')).mailboxCommand,
  },
};

const HELP = `Usage: amsdal-mail <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  .join('\n')}

amsdal-mail <command> --help tells more.
`;

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? stderr : stdout).write(HELP);
    return name === undefined ? 2 : 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) throw new UsageError(`there is no command ${name}; amsdal-mail --help lists them`);
  const command = await entry.load();
  if (args.includes('--help') || args.includes('-h')) {
    stdout.write(command.help);
    return 0;
  }
  return command.run(args);
}

function report(error: unknown): number {
  if (!(error instanceof UsageError || error instanceof EmailError)) throw error;
  stderr.write(`amsdal-mail: ${error.message}\n`);
  return error instanceof UsageError ? 2 : error.retryable ? 75 : 1;
}

void main(process.argv.slice(2))
  .catch(report)
  .then((code) => {
    process.exitCode = code;
  });
