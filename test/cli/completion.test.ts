import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { runCli } from './run-cli.ts';

let folder = '';
const scripts = new Map<string, string>();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) scripts.set(shell, (await runCli(['completion', shell])).stdout);
  writeFileSync(join(folder, 'completion.bash'), scripts.get('bash') ?? '');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a real bash offers behind a line. */
function complete(line: string): readonly string[] {
  const words = line.split(' ');
  const code = `
    source completion.bash
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
    _amsdal_mail
    printf '%s\\n' "\${COMPREPLY[@]}"
  `;
  const output = execFileSync('bash', ['--norc', '-c', code], { cwd: folder, encoding: 'utf8' });
  return output.split('\n').filter((word) => word !== '');
}

describe('bash completes', () => {
  test.each([
    ['amsdal-mail ', [...Object.keys(COMMANDS), '--help', '--version']],
    ['amsdal-mail se', ['send']],
    ['amsdal-mail send --su', ['--subject']],
    ['amsdal-mail send --te', ['--text', '--template', '--text-template']],
    ['amsdal-mail send --subject ', []],
    ['amsdal-mail send --subject --', []],
    ['amsdal-mail send --csv x --dry', ['--dry-run']],
    ['amsdal-mail mailbox --smtp', ['--smtp-port']],
    ['amsdal-mail completion ', ['bash', 'zsh', 'fish']],
    ['amsdal-mail nothing --', []],
  ])('%s', (line, offered) => {
    expect([...complete(line)].sort()).toEqual([...offered].sort());
  });

  test('it is registered, and leaves file names to bash', () => {
    const code = 'source completion.bash; complete -p amsdal-mail';
    expect(execFileSync('bash', ['--norc', '-c', code], { cwd: folder, encoding: 'utf8' })).toBe(
      'complete -o default -F _amsdal_mail amsdal-mail\n',
    );
  });
});

test.each(Object.entries(COMMANDS))('the help of %s and every script have all its options', async (name, { load }) => {
  const command = await load();
  const { options } = command;
  const help = command.help(10_000);
  for (const [option, { help: text }] of Object.entries(options)) {
    expect(help).toContain(`  --${option}`);
    expect(help).toContain(text);
    expect(complete(`amsdal-mail ${name} --${option}`)).toContain(`--${option}`);
    expect(scripts.get('zsh')).toContain(`--${option}[`);
    expect(scripts.get('fish')).toContain(`-n '__fish_seen_subcommand_from ${name}' -l ${option} `);
  }
  expect(help).toMatch(/\nExamples:\n {2}\S.*\n/);
});

test.each([[[]], [['tcsh']], [['bash', 'zsh']]])('completion %j names the shells there are', async (operands) => {
  const { code, stderr } = await runCli(['completion', ...operands]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: 'amsdal-mail: give one of the shells bash, zsh, fish\n' });
});

test('amsdal-mail --version says which one it is', async () => {
  const { stdout } = await runCli(['--version']);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
});

test('amsdal-mail --help lists every command', async () => {
  const { code, stdout } = await runCli(['--help']);
  expect(code).toBe(0);
  for (const [name, { summary }] of Object.entries(COMMANDS))
    expect(stdout).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
});
