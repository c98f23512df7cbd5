import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { VENDORS } from '../../src/mailbox/emulate/vendors.ts';
import { type Mailbox, startMailbox } from '../../src/mailbox/mailbox.ts';
import { runCommand } from './run-command.ts';

let mailbox: Mailbox;
let folder = '';
beforeAll(async () => {
  mailbox = await startMailbox({ port: 0, smtpPort: null });
  folder = mkdtempSync(join(tmpdir(), 'emulate-'));
  writeFileSync(join(folder, 'mail.txt'), 'Hello\n');
  writeFileSync(join(folder, 'people.csv'), 'email\nann@example.org\nbob@example.org\n');
});
afterEach(() => fetch(`${mailbox.url}/api/messages`, { method: 'DELETE' }));
afterAll(async () => {
  await mailbox.close();
  rmSync(folder, { recursive: true });
});

const MAIL = ['--from', 'shop@example.com', '--to', 'ann@example.org', '--subject', 'Hi', '--text', 'mail.txt'];
const caught = async () => (await (await fetch(`${mailbox.url}/api/messages`)).json()).messages;

describe('send --emulate sends to the mailbox in the place of the vendor', () => {
  test.each(Object.keys(VENDORS))('%s, without a key', async (backend) => {
    const args = ['send', ...MAIL, '--backend', backend, '--emulate', mailbox.url];
    expect(await runCommand(args, { cwd: folder })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('ann@example.org'),
    });
    expect(await caught()).toMatchObject([{ subject: 'Hi', facts: { vendor: backend } }]);
  });

  test('with a key that is none, which is not sent', async () => {
    const env = { RESEND_API_KEY: 'test', AMSDAL_EMAIL_BACKEND: 'resend' };
    const run = await runCommand(['send', ...MAIL, '--emulate', `${mailbox.url}/`], { cwd: folder, env });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(await caught()).toHaveLength(1);
    expect(await runCommand(['send', ...MAIL], { cwd: folder, env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('RESEND_API_KEY'),
    });
  });

  test('a row of a run that was caught counts as sent in no other run', async () => {
    writeFileSync(join(folder, 'mail.html'), '<p>Hi</p>');
    const args = ['send', '--csv', 'people.csv', '--template', 'mail.html', '--subject', 'Hi'];
    const own = ['--from', 'shop@example.com', '--backend', 'resend'];
    const env = { RESEND_API_KEY: 're_123' };
    const run = await runCommand([...args, ...own, '--emulate', mailbox.url], { cwd: folder, env });
    expect(run).toMatchObject({ code: 0 });
    expect(await caught()).toHaveLength(2);
    expect(readFileSync(join(folder, 'people.csv.journal'), 'utf8')).toContain('queued');
    expect(await runCommand([...args, ...own], { cwd: folder, env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('caught'),
    });
  });
});

describe('it is refused', () => {
  test.each<[what: string, args: readonly string[], env: NodeJS.ProcessEnv, text: RegExp]>([
    ['in production', ['--backend', 'resend', '--emulate'], { NODE_ENV: 'production' }, /NODE_ENV is production/],
    ['for a backend of no vendor', ['--backend', 'smtp', '--emulate'], {}, /resend, sendgrid.*not for smtp/],
    ['at what is no URL', ['--backend', 'resend', '--emulate', 'localhost:8025'], {}, /takes the URL of a mailbox/],
  ])('%s', async (_, args, env, text) => {
    expect(await runCommand(['send', ...MAIL, ...args], { cwd: folder, env })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(text),
    });
  });

  test('where no mailbox is, with the command that starts one', async () => {
    const args = ['send', ...MAIL, '--backend', 'resend', '--emulate', 'http://127.0.0.1:1', '--json'];
    const run = await runCommand(args, { cwd: folder });
    expect(run).toMatchObject({ code: 69, stderr: expect.stringMatching(/npx amsdal-mail mailbox --port 1\n$/) });
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: 'unavailable' } });
  });
});

test.each(Object.keys(VENDORS))('check --emulate shows the address, and that %s answers there', async (backend) => {
  const args = ['check', '--backend', backend, '--emulate', mailbox.url, '--json'];
  const { stdout } = await runCommand(args, { cwd: folder });
  const { settings, checks } = JSON.parse(stdout);
  expect(settings).toContainEqual({
    name: backend === 'ses' ? 'endpoint' : 'baseUrl',
    value: `${mailbox.url}/api/emulate/${backend}`,
    origin: '--emulate',
  });
  expect(checks).toContainEqual(expect.objectContaining({ area: 'connect', level: 'ok' }));
});
