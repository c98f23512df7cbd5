#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { argv, stderr, stdout } from 'node:process';
import { loadEnv } from '../options/load-env.ts';
import { nearestName } from '../util/nearest-name.ts';
import { quoted } from '../util/quotable.ts';
import { COMMANDS } from './commands.ts';
import { failureOf, UsageError } from './failure.ts';
import { DEFAULT_WIDTH, wrapParagraphs, wrapText } from './wrap-text.ts';

function overview(width: number): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => {
    const [first, ...more] = wrapText(summary, width - INDENT);
    return [`  ${name.padEnd(INDENT - 2)}${first}`, ...more.map((line) => ' '.repeat(INDENT) + line)].join('\n');
  });
  const end = 'amsdal-mail <command> --help has details and examples; amsdal-mail --version prints the version.';
  return `Usage: amsdal-mail <command> [options]\n\nCommands:\n${rows.join('\n')}\n\n${wrapParagraphs(end, width)}\n`;
}

/** The column where the summaries of commands begin. */
const INDENT = 14;

const HELP: readonly string[] = ['--help', '-h', 'help'];

async function main([name, ...args]: readonly string[]): Promise<number> {
  const width = stdout.columns || DEFAULT_WIDTH;
  if (name === undefined || HELP.includes(name)) {
    const topic = args.find((arg) => !HELP.includes(arg));
    if (topic !== undefined) return main([topic, '--help']);
    (name === undefined ? stderr : stdout).write(overview(width));
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
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
    stdout.write(command.help(width));
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

/** Prints an error as a line on stderr, and with `--json` as an object on stdout, too. */
function report(error: unknown): number {
  const failure = failureOf(error);
  if (failure === null) throw error;
  stderr.write(`${failure.line}\n`);
  if (argv.includes('--json')) stdout.write(`${JSON.stringify({ error: failure.json })}\n`);
  return failure.exitCode;
}

// A reader that stops early, such as `head`, is no error.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

void main(argv.slice(2))
  .catch(report)
  .then((code) => {
    process.exitCode = code;
  });
