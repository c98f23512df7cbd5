import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { freePorts } from '../servers/process.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/demo.js', import.meta.url));

function runDemo(
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [SCRIPT, ...args],
      { env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, ...env } },
      (error, output, errors) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: output + errors });
      },
    );
  });
}

describe('npm run demo', () => {
  test('shows every status and what arrived, and ends well', async () => {
    const { code, output } = await runDemo();
    expect(output).toMatch(/^A receiver listens on 127\.0\.0\.1:\d+\./);
    expect(output).toContain('✓ sent     ada@example.com  250 2.0.0 Ok: received');
    expect(output).toContain('✗ invalid  nobody@example.com  550 5.1.1 There is no such mailbox');
    expect(output).toContain('↻ failed   busy@example.com    450 4.2.1 The mailbox is busy, try again later');
    expect(output).toContain('│ Inline   chart.png, image/png, 127 bytes, cid:chart');
    expect(output).toContain('│ Subject  Rechnung für März – 請求書 🧾');
    expect(output).toContain('│ Attached Rechnung März 請求書.csv, text/csv, 29 bytes');
    expect(output).not.toMatch(/│ Bcc/);
    expect(output).toMatch(/\nThe mailbox shows the mails at http:\/\/127\.0\.0\.1:[1-9]\d*, and is closed now: .*\n$/);
    expect(output).toBe(stripVTControlCharacters(output));
    expect(code).toBe(0);
  });

  test('keeps the mailbox open with --keep, until it is interrupted', async () => {
    const demo = spawn(process.execPath, [SCRIPT, '--keep'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    for await (const text of demo.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      output += text;
      if (output.includes('Ctrl+C')) break;
    }
    const [, url = ''] = /shows the mails at (http:\S+); Ctrl\+C closes it\.\n$/.exec(output) ?? [];
    expect(await (await fetch(url)).text()).toContain('<title>Mailbox</title>');
    const { messages } = await (await fetch(`${url}/api/messages`)).json();
    expect(messages.map(({ subject }: { subject: string }) => subject)).toContain('Rechnung für März – 請求書 🧾');
    demo.kill('SIGINT');
    expect(await once(demo, 'exit')).toEqual([0, null]);
  });

  test('colours only where colours are wanted', async () => {
    expect((await runDemo([], { FORCE_COLOR: '1' })).output).toContain('\x1b[32m✓ sent');
    expect((await runDemo([], { FORCE_COLOR: '1', NO_COLOR: '1' })).output).not.toContain('\x1b[');
  });

  test('sends to a server of yours, and says by its exit code whether all was sent', async () => {
    const recipients: string[] = [];
    await using server = await SmtpServer.start({
      onRcpt: (address) => {
        recipients.push(address);
        return recipients.length > 3 ? '550 5.1.1 Enough' : undefined;
      },
    });
    const args = ['--host', '127.0.0.1', '--port', String(server.port), '--to', 'you@example.org'];
    const { code, output } = await runDemo(args);
    expect(output).toContain('✓ sent     you@example.org  250');
    expect([code, recipients]).toEqual([0, Array(3).fill('you@example.org')]);
    expect(await runDemo(args)).toMatchObject({
      code: 1,
      output: expect.stringContaining('✗ invalid  you@example.org  550'),
    });
  });

  test('says what is wrong with the way it was called or the server', async () => {
    expect(await runDemo(['--host', 'x'])).toMatchObject({
      code: 2,
      output: expect.stringContaining('--to you@example.com'),
    });
    expect(await runDemo(['--what'])).toMatchObject({ code: 2, output: expect.stringContaining('--what') });
    expect(await runDemo(['--help'])).toMatchObject({ code: 0, output: expect.stringContaining('--ssl') });
    const [port] = await freePorts(1);
    expect(await runDemo(['--host', '127.0.0.1', '--port', String(port), '--to', 'a@x.org'])).toMatchObject({
      code: 1,
      output: expect.stringMatching(/EmailConnectionError: .*nothing listens there/),
    });
  });
});
