import { stdout } from 'node:process';
import { type Command, defineCommand } from '../command.ts';
import { COMMANDS } from '../commands.ts';
import { UsageError } from '../failure.ts';
import { bashCompletion, type CompletedCommand, fishCompletion, zshCompletion } from './completion-scripts.ts';

const SHELLS: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `amsdal-mail completion`: prints a completion script for a shell. */
export const completionCommand: Command = defineCommand({
  name: 'completion',
  about: 'Prints a script that completes commands, options and file names in a shell.',
  operands: 'bash|zsh|fish',
  options: {},
  examples: [
    'source <(amsdal-mail completion bash)      # in ~/.bashrc',
    'source <(amsdal-mail completion zsh)       # in ~/.zshrc, below compinit',
    'amsdal-mail completion fish | source       # in ~/.config/fish/config.fish',
  ],
  async run({ operands: [shell = '', ...more], output }) {
    const write = Object.hasOwn(SHELLS, shell) && more.length === 0 ? SHELLS[shell] : undefined;
    if (write === undefined) throw new UsageError(`give one of the shells ${Object.keys(SHELLS).join(', ')}`);
    const commands = await Promise.all(
      Object.entries(COMMANDS).map(async ([name, { summary, load }]) => ({ name, summary, command: await load() })),
    );
    const script = write(commands);
    output.json({ shell, script });
    if (!output.isJson) stdout.write(script);
    return 0;
  },
});
