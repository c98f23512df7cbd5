import type { Command, CommandOption } from '../command.ts';

/** A command to complete. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly command: Command;
}

/** Options that can take the place of a command. */
const GLOBAL = ['--help', '--version'];

/** For bash 3.2 and later; the shell completes file names where the script has nothing better. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, command: { options, operands } }) => {
    const valued = Object.keys(options).filter((option) => needsValue(options[option]));
    const taking =
      valued.length === 0
        ? ''
        : `\n      case "$before" in ${valued.map((option) => `--${option}`).join('|')}) return ;; esac`;
    return `    ${name})${taking}
      options="${Object.keys(options)
        .map((option) => `--${option}`)
        .join(' ')}"
      words="${wordsOf(operands).join(' ')}" ;;`;
  });
  return `_amsdal_mail() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" options= words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${[...commands.map(({ name }) => name), ...GLOBAL].join(' ')}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
  esac
}
complete -o default -F _amsdal_mail amsdal-mail
`;
}

/** For zsh, with the help of each option. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, command: { options, operands } }) => {
    const specs = Object.entries(options).map(([option, entry]) =>
      quote(`${entry.many ? '*' : ''}--${option}[${escapeSpec(entry.help)}]${zshValue(entry)}`),
    );
    const words = wordsOf(operands);
    if (words.length > 0) specs.push(quote(`1:operand:(${words.join(' ')})`));
    else if (operands !== undefined) specs.push(quote('*:file:_files'));
    return `    ${name}) _arguments ${specs.join(' ')} ;;`;
  });
  return `#compdef amsdal-mail
_amsdal_mail() {
  local -a commands
  commands=(${commands.map(({ name, summary }) => quote(`${name}:${summary}`)).join(' ')})
  if (( CURRENT == 2 )); then
    _describe command commands
    compadd -- ${GLOBAL.join(' ')}
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _amsdal_mail ]; then _amsdal_mail "$@"; else compdef _amsdal_mail amsdal-mail; fi
`;
}

/** For fish, with the help of each option. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const line = (...parts: readonly string[]): string => `complete -c amsdal-mail ${parts.join(' ')}`;
  const lines = commands.flatMap(({ name, summary, command: { options, operands } }) => {
    const here = `-n '__fish_seen_subcommand_from ${name}'`;
    const words = wordsOf(operands);
    return [
      line('-n __fish_use_subcommand', `-a ${name}`, `-d ${fishQuote(summary)}`),
      ...Object.entries(options).map(([option, entry]) =>
        line(here, `-l ${option}`, ...fishValue(entry), `-d ${fishQuote(entry.help)}`),
      ),
      ...(words.length > 0 ? [line(here, `-a ${fishQuote(words.join(' '))}`)] : []),
      ...(operands !== undefined && words.length === 0 ? [line(here, '-F')] : []),
    ];
  });
  return `${[line('-f'), ...GLOBAL.map((option) => line('-n __fish_use_subcommand', `-l ${option.slice(2)}`)), ...lines].join('\n')}\n`;
}

/** The words to choose from (`bash|zsh`); empty when the operand is a file. */
function wordsOf(operands: string | undefined): readonly string[] {
  return operands?.includes('|') ? operands.split('|') : [];
}

function needsValue(option: CommandOption | undefined): boolean {
  return option?.value !== undefined && option.fallback === undefined;
}

function zshValue({ value, fallback }: CommandOption): string {
  if (value === undefined) return '';
  const action = value === 'FILE' ? '_files' : value === 'DIR' ? '_files -/' : ' ';
  return `${fallback === undefined ? '' : ':'}:${escapeSpec(value)}:${action}`;
}

function fishValue(option: CommandOption): readonly string[] {
  const { value } = option;
  if (!needsValue(option)) return [];
  if (value === 'FILE') return ['-r', '-F'];
  return value === 'DIR' ? ['-x', "-a '(__fish_complete_directories)'"] : ['-x'];
}

function escapeSpec(text: string): string {
  return text.replace(/[\\[\]:]/g, '\\$&');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
