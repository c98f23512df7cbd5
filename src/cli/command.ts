import { parseArgs } from 'node:util';
import { nearestName } from '../util/nearest-name.ts';
import { quoted } from '../util/quotable.ts';
import { reasonOf } from '../util/reason.ts';
import { UsageError } from './failure.ts';
import { type Output, outputFor } from './output.ts';
import { wrapParagraphs, wrapText } from './wrap-text.ts';

/** An option of a command: how it is read, shown by `--help` and completed by the shell. */
export interface CommandOption {
  readonly help: string;
  /** The placeholder of its value; shells complete `FILE` with file names. Without it the option is a flag. */
  readonly value?: string;
  /** The value when none follows; without it one must. */
  readonly fallback?: string;
  /** Whether it may be repeated. */
  readonly many?: true;
}

/** Options by name, without the dashes. */
export type CommandOptions = Readonly<Record<string, CommandOption>>;

/** The values of options: a flag is true, a repeated option a list. */
export type OptionValues<O extends CommandOptions> = {
  readonly [K in keyof O]?: O[K] extends { readonly value: string }
    ? O[K] extends { readonly many: true }
      ? readonly string[]
      : string
    : true;
};

/** A parsed command line. */
interface CommandLine<O extends CommandOptions> {
  readonly values: OptionValues<O>;
  /** The arguments that are not options, in order. */
  readonly operands: readonly string[];
  readonly output: Output;
}

/** The definition of a command. */
export interface CommandDefinition<O extends CommandOptions> {
  readonly name: string;
  /** What it does; the first paragraph of its help. */
  readonly about: string;
  readonly options: O;
  /** Arguments that are not options, as the usage line shows them: `FILE.eml`, `[FILE.eml]`, `bash|zsh`. */
  readonly operands?: string;
  /** Text below the options. */
  readonly notes?: string;
  /** Whole command lines. */
  readonly examples: readonly string[];
  run(line: CommandLine<O>): Promise<number>;
}

/** One command of `amsdal-mail`. */
export interface Command {
  /** All its options, the common ones included. */
  readonly options: CommandOptions;
  /** Arguments besides options: a file, or words to choose from (`bash|zsh`); undefined when it takes none. */
  readonly operands: string | undefined;
  /** The text of `--help`, wrapped to `width` columns. */
  help(width: number): string;
  /** Runs it. Returns the exit code: 0 done, 1 refused, 2 wrong usage, 69 no mailbox to emulate, 75 try again later. */
  run(args: readonly string[]): Promise<number>;
}

const COMMON = {
  json: { help: 'print the result as JSON' },
  'no-color': { help: 'print without colours, as NO_COLOR=1 does' },
  help: { help: 'print this' },
} as const;

/** Makes a command from one table of options, which parsing, help and completion all use. */
export function defineCommand<const O extends CommandOptions>(definition: CommandDefinition<O>): Command {
  const { name } = definition;
  const options = { ...definition.options, ...COMMON };
  return {
    options,
    operands: definition.operands,
    help: (width) => helpOf(definition, options, width),
    run(args) {
      const { values, positionals: operands } = parse(name, options, args, definition.operands !== undefined);
      // parseArgs read them according to the tables that these types come from.
      const output = outputFor(values as OptionValues<typeof COMMON>);
      return definition.run({ values: values as OptionValues<O>, operands, output });
    },
  };
}

/** The value of a numeric option, if given. @throws {UsageError} if it is not a number */
export function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--${option} must be a number, got ${text}`);
}

function parse(command: string, table: CommandOptions, given: readonly string[], allowPositionals: boolean) {
  const args = withFallbacks(table, given);
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { value, many = false }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple: many },
    ]),
  );
  checkNames(
    command,
    table,
    parseArgs({ args: [...args], options, strict: false, tokens: true }).tokens,
    allowPositionals,
  );
  try {
    return parseArgs({ args: [...args], options, allowPositionals });
  } catch (error) {
    // Node's advice is the last line of several, or follows the first sentence of a single line.
    const lines = reasonOf(error).split('\n');
    const [reason] = (lines[0] ?? '').split(/\.(?:\s|$)/);
    const advice =
      lines.length > 1 ? lines.at(-1)?.replace(/\.$/, '') : `amsdal-mail ${command} --help lists the options`;
    throw new UsageError(`${reason}; ${advice}`);
  }
}

/** The arguments, with a value behind each option that may come without one. */
function withFallbacks(table: CommandOptions, args: readonly string[]): readonly string[] {
  return args.map((arg, index) => {
    const fallback =
      arg.startsWith('--') && Object.hasOwn(table, arg.slice(2)) ? table[arg.slice(2)]?.fallback : undefined;
    const next = args[index + 1];
    return fallback !== undefined && (next === undefined || next.startsWith('-')) ? `${arg}=${fallback}` : arg;
  });
}

/** Refuses unknown options and arguments: Node's own errors would show them, and they may be URLs with passwords. */
function checkNames(command: string, table: CommandOptions, tokens: readonly Token[], allowPositionals: boolean): void {
  for (const token of tokens) {
    if (token.kind === 'option' && !Object.hasOwn(table, token.name)) {
      const near = nearestName(token.name, Object.keys(table));
      const advice = near === null ? '' : `did you mean --${near}? `;
      const help = `amsdal-mail ${command} --help lists the options`;
      throw new UsageError(`Unknown option ${quoted(token.rawName)}; ${advice}${help}`);
    }
    if (token.kind === 'positional' && !allowPositionals) {
      const advice =
        'url' in table && token.value.includes(':') ? 'a connection is given by --url' : 'it takes options only';
      throw new UsageError(`Unexpected argument ${quoted(token.value)}; ${advice}`);
    }
  }
}

type Token = NonNullable<ReturnType<typeof parseArgs<{ strict: false; tokens: true }>>['tokens']>[number];

/** With fewer columns for its text, an option's help goes on the next line. */
const MIN_TEXT_WIDTH = 30;

function helpOf(definition: CommandDefinition<CommandOptions>, options: CommandOptions, width: number): string {
  const { name, about, operands, notes, examples } = definition;
  const rows = Object.entries(options).map(
    ([option, { value, fallback, many, help }]) =>
      [
        `--${option}${value === undefined ? '' : fallback === undefined ? ` ${value}` : ` [${value}]`}`,
        `${help}${many ? '; may be repeated' : ''}`,
      ] as const,
  );
  const left = Math.max(...rows.map(([text]) => text.length)) + 4;
  const isNarrow = width - left < MIN_TEXT_WIDTH;
  const indent = ' '.repeat(isNarrow ? 6 : left);
  const lines = rows.flatMap(([option, text]) => {
    const [first = '', ...more] = wrapText(text, width - indent.length);
    const rest = more.map((line) => indent + line);
    return isNarrow ? [`  ${option}`, indent + first, ...rest] : [`  ${option}`.padEnd(left) + first, ...rest];
  });
  return `Usage: amsdal-mail ${[name, operands].filter((part) => part !== undefined).join(' ')} [options]

${wrapParagraphs(about, width)}

${lines.join('\n')}
${notes === undefined ? '' : `\n${wrapParagraphs(notes, width)}\n`}
Examples:
${examples.map((example) => `  ${example}`).join('\n')}
`;
}
