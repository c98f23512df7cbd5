import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts, until } from '../../servers/process.ts';
import { runCli, startCli } from '../run-cli.ts';

const ROWS = 10_000;
const KILLS = 4;

let folder = '';
let port = 0;
let sink: ChildProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'killed-'));
  // The sink gives up its rights, and still must write what it takes.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'sink'));
  chmodSync(join(folder, 'sink'), 0o777);
  writeFileSync(join(folder, 'mail.html'), '<p>Hello {{name}}</p>');
  const people = Array.from({ length: ROWS }, (_, number) => `user${number}@example.org,"User, ${number}"\n`);
  writeFileSync(join(folder, 'people.csv'), `email,name\n${people.join('')}`);
  [port = 0] = await freePorts(1);
  const rights = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  sink = spawn('/usr/sbin/smtp-sink', [...rights, '-D', 'sink/mails', `127.0.0.1:${port}`, '100'], { cwd: folder });
  await until(isListening, () => 'smtp-sink does not listen');
});

afterAll(async () => {
  sink.kill('SIGTERM');
  if (sink.exitCode === null && sink.signalCode === null) await once(sink, 'exit');
  rmSync(folder, { recursive: true });
});

const isListening = (): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** Who the sink has taken a mail for, one entry a mail. */
const taken = (): readonly string[] =>
  readdirSync(join(folder, 'sink')).flatMap((name) =>
    [...readFileSync(join(folder, 'sink', name), 'latin1').matchAll(/^X-Rcpt-Args: <(.*?)>/gm)].map(
      ([, address = '']) => address,
    ),
  );

test('ten thousand rows, killed at random moments: each is sent once, or listed as unknown', {
  timeout: 300_000,
}, async () => {
  const url = `smtp://127.0.0.1:${port}`;
  const args = ['send', '--csv', 'people.csv', '--template', 'mail.html', '--subject', 'Hi {{name}}', '--json'];
  const command = [...args, '--from', 'shop@example.com', '--url', url];
  const journal = join(folder, 'people.csv.journal');
  const size = (): number => (existsSync(journal) ? statSync(journal).size : 0);

  // A moment is a size of the journal, as machines are not equally fast; whole, it has about 700,000 octets.
  for (let kill = 0; kill < KILLS; kill++) {
    const moment = size() + 20_000 + Math.floor(Math.random() * 120_000);
    const child = startCli(command, { cwd: folder });
    const ended = once(child, 'exit');
    await until(
      () => size() >= moment || child.exitCode !== null,
      () => `the journal has ${size()} of ${moment} octets`,
      60_000,
    );
    child.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
  }

  const { code, stdout, stderr } = await runCli(command, { cwd: folder });
  const { sent, unknown, rows } = JSON.parse(stdout);
  const doubtful = new Set(rows.map(({ to }: { to: string }) => to));
  expect(stderr).toContain('unknown: these may or may not have been sent');
  expect(rows.every(({ outcome }: { outcome: string }) => outcome === 'unknown')).toBe(true);
  expect({ code, all: sent + unknown, listed: doubtful.size }).toEqual({ code: 1, all: ROWS, listed: unknown });
  expect(unknown).toBeLessThan(KILLS * 200);

  const mails = taken();
  const arrived = new Set(mails);
  expect(mails.length - arrived.size).toBe(0); // nobody got two
  const lost = Array.from({ length: ROWS }, (_, number) => `user${number}@example.org`).filter(
    (address) => !arrived.has(address) && !doubtful.has(address),
  );
  expect(lost).toEqual([]);
  expect(arrived.size).toBeGreaterThanOrEqual(sent);

  const again = await runCli(command, { cwd: folder });
  expect(JSON.parse(again.stdout)).toMatchObject({ sent, sentBefore: sent, unknown });
  expect(taken()).toHaveLength(mails.length);

  const last = await runCli([...command, '--resend-unknown'], { cwd: folder });
  expect({ code: last.code, ...JSON.parse(last.stdout) }).toMatchObject({ code: 0, sent: ROWS, unknown: 0, rows: [] });
  expect(new Set(taken()).size).toBe(ROWS);
});
