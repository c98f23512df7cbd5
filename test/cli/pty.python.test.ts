import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { CLI } from './run-cli.ts';

/** Runs a program in a terminal; presses Ctrl+C when TRIGGER is shown; tells the exit code and all that was shown. */
const TERMINAL = `
import fcntl, json, os, pty, struct, sys, termios
trigger, columns, program = sys.argv[1].encode(), int(sys.argv[2]), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    os.execv(program[0], program)
shown, pressed = b'', False
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if trigger and not pressed and trigger in shown:
        os.write(terminal, b'\\x03')
        pressed = True
_, status = os.waitpid(pid, 0)
print(json.dumps({'code': os.waitstatus_to_exitcode(status), 'shown': shown.decode()}))
`;

let server: ScriptedSmtpServer;
let folder = '';
beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
  folder = mkdtempSync(join(tmpdir(), 'pty-'));
  writeFileSync(join(folder, 'mail.html'), '<p>Hello {{name}}</p>');
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => server.reset());

async function inTerminal(args: readonly string[], trigger = '', env: NodeJS.ProcessEnv = {}, columns = 0) {
  const { PATH, HOME, NODE_V8_COVERAGE } = process.env;
  const coverage = NODE_V8_COVERAGE === undefined ? {} : { NODE_V8_COVERAGE };
  const { stdout } = await promisify(execFile)(
    '/usr/bin/python3',
    ['-c', TERMINAL, trigger, String(columns), process.execPath, CLI, ...args],
    {
      cwd: folder,
      env: { PATH, HOME, ...coverage, TERM: 'xterm-256color', ...env },
    },
  );
  const { code, shown }: { readonly code: number; readonly shown: string } = JSON.parse(stdout);
  return { code, shown };
}

function bulk(count: number, ...more: readonly string[]): readonly string[] {
  const name = `people-${count}.csv`;
  const rows = Array.from({ length: count }, (_, number) => `user${number}@example.org,User ${number}\n`);
  writeFileSync(join(folder, name), `email,name\n${rows.join('')}`);
  const args = ['send', '--csv', name, '--template', 'mail.html', '--subject', 'Hi', '--from', 'shop@example.com'];
  return [...args, '--url', `smtp://127.0.0.1:${server.port}`, ...more];
}

describe('in a terminal', () => {
  test('a run shows one line of progress, and ends with 0', async () => {
    const { code, shown } = await inTerminal(bulk(60, '--rate', '60/s'));
    const lines = shown.split('\r\u001b[2K').map((line) => line.trim());
    const progress = lines.filter((line) => /^\d+ sent of 60, [\d.]+\/s, (\d+:\d\d left|starting)$/.test(line));
    expect(progress.length, shown).toBeGreaterThan(3);
    expect(lines.at(-1)).toMatch(/^60 sent of 60, [^\r\n]*\r\n60 sent$/);
    expect(code).toBe(0);
  });

  test('Ctrl+C stops a run, which tells what it has left and ends with 130', async () => {
    const { code, shown } = await inTerminal(bulk(5000, '--rate', '50/s'), ' sent of 5,000');
    expect(shown).toContain('stopping: ');
    expect(shown).toMatch(/\r\n[\d,]+ sent, [\d,]+ unsent\r\n/);
    expect(shown).not.toContain('unknown');
    expect(code).toBe(130);
  });

  test('a status is shown in colours, unless they are not wanted', async () => {
    const args = ['send', '--from', 'a@example.com', '--to', 'b@example.com', '--subject', 'Hi', '--html', 'mail.html'];
    const command = [...args, '--backend', 'dummy'];
    const green = '\u001b[32msent\u001b[39m';
    expect(await inTerminal(command)).toMatchObject({ code: 0, shown: expect.stringContaining(green) });
    for (const plain of [
      await inTerminal([...command, '--no-color']),
      await inTerminal(command, '', { NO_COLOR: '1' }),
    ]) {
      expect(plain.shown).toMatch(/^sent {2}b@example\.com\s+$/);
    }
  });

  test('a run that was refused ends with 1, and one to be tried again with 75', async () => {
    server.on('RCPT', '550 5.7.1 No');
    expect((await inTerminal(bulk(2))).code).toBe(1);
    server.on('RCPT', '451 4.7.1 Later');
    expect((await inTerminal(bulk(3))).code).toBe(75);
  });
});

describe('a narrow terminal', () => {
  test.each([['--help'], ['help', 'send'], ['check', '--help'], ['mailbox', '--help']])(
    'shows help in its width, but for command lines: %s %s',
    async (...args) => {
      for (const columns of [40, 72]) {
        const { code, shown } = await inTerminal(args, '', { NO_COLOR: '1' }, columns);
        const [prose = ''] = shown.split('Examples:');
        expect(prose.split('\r\n').filter((line) => line.length > columns)).toEqual([]);
        expect(code).toBe(0);
      }
    },
  );

  test('shows what check found in its width, aligned', async () => {
    const args = ['check', '--url', 'console://', '--from', 'a@[192.0.2.1]'];
    const { shown } = await inTerminal(args, '', { NO_COLOR: '1' }, 60);
    expect(shown.split('\r\n').filter((line) => line.length > 60)).toEqual([]);
    expect(shown).toMatch(
      /^ {2}warning {2}connect {2}the console backend prints mails and\r\n {20}sends none: there is no server/m,
    );
  });
});
