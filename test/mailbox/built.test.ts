import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const CLI = join(DIST, 'cli/main.js');
const run = promisify(execFile);

describe('amsdal-mail mailbox', () => {
  let folder = '';
  let child: ChildProcess;
  let url = '';
  let smtp: { readonly port: number; readonly startTls: boolean };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mailbox-'));
    mkdirSync(join(folder, 'emails'));
    child = spawn(process.execPath, [CLI, 'mailbox', '--port', '0', '--smtp-port', '0', '--json'], { cwd: folder });
    if (child.stdout === null) throw new Error('no output');
    const [line] = await once(createInterface(child.stdout), 'line');
    ({ url, smtp } = JSON.parse(line));
  });

  afterAll(async () => {
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    rmSync(folder, { recursive: true });
    expect(code).toBe(0);
  });

  test('says where it is, and takes mail there', async () => {
    expect(smtp.startTls).toBe(true);
    expect(await (await fetch(url)).text()).toContain('<title>Mailbox</title>');
  });

  test('catches what another process sends by AMSDAL_EMAIL_BACKEND=mailbox', async () => {
    const code = `
      import { sendMail, getConnection } from '${join(DIST, 'index.js')}';
      const connection = getConnection('mailbox', { port: ${new URL(url).port} });
      const status = await sendMail({ connection, subject: 'From another process', message: 'x', fromEmail: 'a@example.com', recipientList: ['b@example.com'] });
      console.log(status.isSuccess);
    `;
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', code]);
    expect(stdout.trim()).toBe('true');
    expect(stderr).toBe(`amsdal-mail: mails are caught, see them at ${url}\n`);
    const { subject } = await (await fetch(`${url}/api/messages/wait?timeout=1`)).json();
    expect(subject).toBe('From another process');
  });

  test('lists the previews, renders them without sending, and anew when they change', async () => {
    const write = (text: string): void => writeFileSync(join(folder, 'emails/welcome.mjs'), text);
    const events = await fetch(`${url}/api/events`);
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
    const heard = async (name: string): Promise<void> => {
      for (let text = ''; !text.includes(`event: ${name}`); ) text += (await reader?.read())?.value ?? '';
    };
    const before = (await (await fetch(`${url}/api/messages`)).json()).total;

    write(
      "export function preview() { return { subject: 'Welcome', body: 'Hi', htmlBody: '<h1>one</h1>', tags: ['t'] }; }",
    );
    await heard('previews');
    expect(await (await fetch(`${url}/api/previews`)).json()).toEqual({ previews: ['welcome'] });
    const shown = await (await fetch(`${url}/api/previews/welcome`)).json();
    expect(shown).toMatchObject({
      subject: 'Welcome',
      via: 'preview',
      tags: ['t'],
      html: expect.stringContaining('one'),
    });
    expect(await (await fetch(`${url}/api/previews/welcome/html`)).text()).toContain('<h1>one</h1>');

    write("import { title } from './parts/title.mjs'; export const preview = async () => '<h1>' + title + '</h1>';");
    await heard('previews');
    const broken = await fetch(`${url}/api/previews/welcome`);
    expect(broken.status).toBe(422);
    expect((await broken.json()).error.message).toContain('title.mjs');

    mkdirSync(join(folder, 'emails/parts'));
    writeFileSync(join(folder, 'emails/parts/title.mjs'), "export const title = 'two';");
    await heard('previews');
    await expect
      .poll(async () => (await (await fetch(`${url}/api/previews/welcome`)).json()).html)
      .toContain('<h1>two</h1>');

    write('export const nothing = 1;');
    await heard('previews');
    await expect
      .poll(async () => (await (await fetch(`${url}/api/previews/welcome`)).json()).error?.message)
      .toContain('exports no preview');
    await reader?.cancel();
    expect((await (await fetch(`${url}/api/messages`)).json()).total).toBe(before);
  });
});

describe('the command line', () => {
  const fail = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    run(process.execPath, [CLI, ...args], { env: { ...process.env, ...env } }).then(
      ({ stdout }) => ({ code: 0, stderr: '', stdout }),
      ({ code, stderr, stdout }) => ({ code, stderr, stdout }),
    );

  test.each([
    [['--help'], 0, /Usage: amsdal-mail <command>/],
    [['mailbox', '--help'], 0, /npx amsdal-mail mailbox/],
    [[], 2, /Usage/],
    [['nope'], 2, /there is no command 'nope'/],
    [['mailbox', '--nope'], 2, /--nope/],
    [['mailbox', '--port', 'x'], 2, /port must be a number/],
    [['mailbox', '--tls-key', 'x'], 2, /belong together/],
    [['mailbox', '--tls-key', 'x', '--tls-cert', 'y'], 2, /cannot be read/],
    [['mailbox', '--port', '99999'], 1, /port must be an integer/],
    [
      ['mailbox', '--port', '0', '--release-to', 'a@example.com', '--release-via', 'mailbox'],
      1,
      /catch the mail again/,
    ],
  ])('%j exits with %d', async (args, code, text) => {
    const result = await fail(args);
    expect(result.code).toBe(code);
    expect(result.stdout + result.stderr).toMatch(text);
  });

  test('it does not start in production', async () => {
    const { code, stderr } = await fail(['mailbox', '--port', '0', '--smtp-port', '0'], { NODE_ENV: 'production' });
    expect(code).toBe(1);
    expect(stderr).toContain('NODE_ENV is production');
  });
});
