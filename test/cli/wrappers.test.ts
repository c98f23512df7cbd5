import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { runCommand } from './run-command.ts';

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanUps.splice(0)) await clean();
});

const env = { AMSDAL_EMAIL_BACKUP_URL: 'resend://re_verysecret@' };
const URL = 'failover(smtps://ann:verysecret@smtp.example.com round-robin(@backup ses://?region=eu-west-1))';

describe('explain', () => {
  test('shows what a wrapper is made of, without passwords', async () => {
    const run = await runCommand(['explain', '--url', URL], { env });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    const lines = run.stdout.split('\n').filter((line) => /[├└]/.test(line));
    expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['├ smtp', 'by SMTP to smtp.example.com:465, TLS: implicit'],
      ['└ round-robin', 'the round-robin backend sends over other connections'],
      ['├ backup (resend)', expect.stringContaining('resend')],
      ['└ ses', expect.stringContaining('Amazon SES')],
    ]);
    expect(run.stdout).not.toContain('verysecret');
  });

  test('names connections as statuses do', async () => {
    const { stdout } = await runCommand(['explain', '--url', 'failover(dummy console dummy)']);
    expect(stdout).toMatch(/├ dummy .*├ console .*└ dummy-2 /s);
  });

  test('as JSON', async () => {
    const run = await runCommand(['explain', '--url', URL, '--json'], { env });
    const { connections } = JSON.parse(run.stdout);
    expect(connections).toMatchObject([
      { name: 'smtp', parts: [] },
      { name: 'round-robin', parts: [{}, { name: 'ses' }] },
    ]);
    expect(run.stdout).not.toContain('verysecret');
  });
});

describe('check', () => {
  test('checks every connection, and names the one at fault', async () => {
    const server = await SmtpServer.start();
    cleanUps.push(() => server.close());
    const gone = await SmtpServer.start();
    const { port } = gone;
    await gone.close();
    const url = `failover(smtp://127.0.0.1:${server.port} retry(smtp://ann:verysecret@127.0.0.1:${port}?useTls=false&allowInsecureAuth=true))`;
    const run = await runCommand(['check', '--url', url, '--json']);
    const { isOk, settings, checks } = JSON.parse(run.stdout);
    expect(isOk).toBe(false);
    expect(checks).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ level: 'ok', message: expect.stringContaining('smtp: verify() succeeded') }),
        expect.objectContaining({ level: 'error', message: expect.stringContaining('retry/smtp: '), code: 'refused' }),
      ]),
    );
    expect(settings).toContainEqual({ name: 'connections', value: 'smtp://... retry(smtp://...)', origin: '--url' });
    expect(run.stdout).not.toContain('verysecret');
  });
});

describe('a route of a URL', () => {
  function folderWith(source: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-route-'));
    cleanUps.push(async () => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'routes.cjs'), source);
    return folder;
  }

  test('explain and check load what it chooses by', async () => {
    const url = `route(dummy console)?choose=${folderWith("exports.choose = () => 'dummy';")}/routes.cjs#choose`;
    const explained = await runCommand(['explain', '--url', url, '--json']);
    expect(explained).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(explained.stdout).connections).toMatchObject([{ name: 'dummy' }, { name: 'console' }]);
    const checked = await runCommand(['check', '--url', url, '--json']);
    expect(JSON.parse(checked.stdout).checks).toContainEqual(
      expect.objectContaining({ level: 'ok', message: expect.stringContaining('console: verify() succeeded') }),
    );
  });

  test.each(['explain', 'check'])('%s tells what cannot be loaded', async (command) => {
    const url = `failover(dummy route(dummy console)?choose=${folderWith('')}/routes.cjs#choose)`;
    const { code, stdout, stderr } = await runCommand([command, '--url', url]);
    expect(stdout + stderr).toContain("connection 2 of failover: route: choose: function '");
    expect(stdout + stderr).toContain("it has no export 'choose'");
    expect(code).not.toBe(0);
  });
});
