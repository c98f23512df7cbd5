import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';
import { until } from '../../servers/process.ts';
import { startCli } from '../run-cli.ts';
import { runCommand } from '../run-command.ts';

const ROWS = 300;

let server: ScriptedSmtpServer;
let folder = '';
beforeEach(async () => {
  server = await ScriptedSmtpServer.start();
  folder = mkdtempSync(join(tmpdir(), 'edge-'));
  writeFileSync(join(folder, 'mail.txt'), 'Hello');
  const people = Array.from({ length: ROWS }, (_, number) => `user${number}@example.org\n`);
  writeFileSync(join(folder, 'people.csv'), `email\n${people.join('')}`);
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const argsOf = () => [
  ...['send', '--csv', 'people.csv', '--text-template', 'mail.txt', '--subject', 'Hi', '--from', 'a@example.com'],
  ...['--url', `smtp://127.0.0.1:${server.port}?maxConnections=2&maxInFlight=1`, '--json'],
];

const recipients = (): readonly string[] => server.messages.flatMap(({ envelope }) => envelope.rcptTo);

test.each(['DATA', 'message'] as const)(
  'a run that is killed while %s is unanswered leaves in doubt what was about to leave alone',
  async (step) => {
    server.on('EHLO', '250 localhost\n8BITMIME'); // a mail in several steps
    let isHeld = false;
    server.on(step, () => {
      if (server.messages.length < 20) return undefined;
      isHeld = true;
      return { reply: step === 'DATA' ? '354 Go on' : '250 2.0.0 Ok', delayMs: 600_000 };
    });
    const child = startCli(argsOf(), { cwd: folder });
    const ended = once(child, 'exit');
    await until(
      () => isHeld,
      () => `${server.messages.length} mails came`,
    );
    child.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);

    server.on(step, undefined);
    const { code, stdout } = await runCommand(argsOf(), { cwd: folder });
    const { sent, unknown, rows } = JSON.parse(stdout);
    expect({ code, all: sent + unknown }).toEqual({ code: 1, all: ROWS });
    expect(unknown).toBeGreaterThan(0);
    expect(unknown).toBeLessThanOrEqual(2); // one for each connection
    const doubtful = rows.map(({ to }: { readonly to: string }) => to);
    const had = recipients();
    expect(had.filter((address) => doubtful.includes(address))).toEqual([]);
    expect(had.toSorted()).toEqual([...new Set(had)].toSorted());
    expect(had.length + doubtful.length).toBe(ROWS);
  },
);
