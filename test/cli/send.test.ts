import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { CLI, type CliOptions, type CliRun, ended, runCli } from './run-cli.ts';

let server: ScriptedSmtpServer;
let folder = '';
let url = '';
beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
  url = `smtp://127.0.0.1:${server.port}`;
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
  writeFileSync(join(folder, 'mail.txt'), 'Grüße\n');
  writeFileSync(join(folder, 'mail.html'), '<p>Grüße</p>\n');
  writeFileSync(join(folder, 'latin1.txt'), Buffer.from('Gr\xfc\xdfe', 'latin1'));
  writeFileSync(join(folder, 'list.csv'), 'a;b\n');
  writeFileSync(
    join(folder, 'mail.eml'),
    'From: Eve <eve@example.com>\r\nTo: ann@example.org\r\nCc: bob@example.org\r\nSubject: Whole\r\nX-Own: 1\r\n\r\nText\r\n',
  );
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => server.reset());

const BASIC = ['--from', 'shop@example.com', '--to', 'ann@example.org', '--subject', 'Hi'];
const send = (args: readonly string[], options: CliOptions = {}): Promise<CliRun> =>
  runCli(['send', ...args], { cwd: folder, ...options });
const received = async () => {
  const [mail] = server.messages;
  if (mail === undefined) throw new Error(`nothing came: ${server.commands.join('; ')}`);
  return { envelope: mail.envelope, ...(await simpleParser(Buffer.from(mail.bytes))) };
};

describe('amsdal-mail send', () => {
  test('sends what its options say, and prints a line for every recipient', async () => {
    const args = [
      ...['--from', 'Shop <shop@example.com>', '--to', 'Ann <ann@example.org>', '--to', 'bob@example.org'],
      ...['--cc', 'cc@example.org', '--bcc', 'bcc@example.org', '--reply-to', 'help@example.com', '--subject', 'Grüße'],
      ...[
        '--text',
        'mail.txt',
        '--html',
        'mail.html',
        '--attach',
        'list.csv',
        '--header',
        'X-Shop: a: b',
        '--url',
        url,
      ],
    ];
    const { code, stdout, stderr } = await send(args);
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /^sent {2}ann@example\.org {2}250 .*\nsent {2}bob@example\.org .*\nsent {2}cc@example\.org .*\nsent {2}bcc@example\.org .*\n$/,
    );
    expect(code).toBe(0);
    const mail = await received();
    expect(mail.from?.text).toBe('"Shop" <shop@example.com>');
    expect(mail.subject).toBe('Grüße');
    expect(mail.text).toBe('Grüße\n');
    expect(mail.html).toBe('<p>Grüße</p>\n');
    expect(mail.attachments[0]).toMatchObject({ filename: 'list.csv', content: Buffer.from('a;b\n') });
    expect(mail.headers.get('x-shop')).toBe('a: b');
    expect(mail.replyTo?.text).toBe('help@example.com');
    expect(mail.envelope.rcptTo).toHaveLength(4);
    expect(String(mail.headerLines.map(({ line }) => line))).not.toContain('bcc@example.org');
  });

  test.each([
    ['piped in', []],
    ['asked for', ['--text', '-']],
  ])('takes the text from stdin when it is %s', async (_, more) => {
    const { code } = await send([...BASIC, ...more, '--url', url], { input: 'From a pipe\n' });
    expect(code).toBe(0);
    expect((await received()).text).toBe('From a pipe\n');
  });

  test('waits for a text that is piped in late', async () => {
    const child = spawn(process.execPath, [CLI, 'send', ...BASIC, '--url', url], { cwd: folder });
    child.stdin.on('error', () => {}); // how it ended says more
    const running = ended(child);
    await once(child, 'spawn');
    await sleep(1000); // it looks at stdin long before
    child.stdin.write('First\n');
    await sleep(50);
    child.stdin.end('Last\n');
    expect(await running).toMatchObject({ code: 0, stderr: '' });
    expect((await received()).text).toBe('First\nLast\n');
  });

  test('takes the server and the sender from the environment, and from .env', async () => {
    const project = mkdtempSync(join(folder, 'project-'));
    writeFileSync(join(project, '.env'), `AMSDAL_EMAIL_URL=${url}\nAMSDAL_EMAIL_FROM=env@example.com\n`);
    const { code, stderr } = await send(BASIC.slice(2), { cwd: project, input: 'x' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await received()).from?.text).toBe('env@example.com');
  });

  test('sends a whole mail', async () => {
    expect((await send(['--eml', 'mail.eml', '--url', url])).code).toBe(0);
    const mail = await received();
    expect(mail).toMatchObject({ subject: 'Whole', text: 'Text\n' });
    expect(mail.headers.get('x-own')).toBe('1');
    expect(server.commands.filter((command) => command.startsWith('RCPT'))).toHaveLength(2);
  });

  test('replaces a header of a whole mail, in whatever case it is named', async () => {
    const { code, stderr } = await send(['--eml', 'mail.eml', '--header', 'x-own: two', '--url', url]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await received()).headers.get('x-own')).toBe('two');
  });

  test('sends a whole mail to nobody but those who are named instead', async () => {
    const args = ['--eml', '-', '--to', 'eve@example.net', '--subject', 'Other', '--attach', 'list.csv', '--url', url];
    expect(
      (await send(args, { input: 'From: e@example.com\r\nTo: a@example.org\r\nBcc: b@example.org\r\n\r\nx' })).code,
    ).toBe(0);
    const mail = await received();
    expect(server.commands.filter((command) => command.startsWith('RCPT'))).toEqual(['RCPT TO:<eve@example.net>']);
    expect(mail.subject).toBe('Other');
    expect(mail.attachments).toHaveLength(1);
  });

  test('prints the status as one JSON value', async () => {
    server.on('RCPT', ({ argument }) => (argument.includes('bob@') ? '550 5.1.1 No such user' : undefined));
    const { code, stdout } = await send([
      ...BASIC,
      '--to',
      'bob@example.org',
      '--text',
      'mail.txt',
      '--url',
      url,
      '--json',
    ]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      isSuccess: false,
      recipients: { 'ann@example.org': { status: 'sent' }, 'bob@example.org': { status: 'invalid', code: 550 } },
    });
  });

  test('leaves stdout to the JSON value when mails are printed', async () => {
    const { code, stdout, stderr } = await send([...BASIC, '--text', 'mail.txt', '--backend', 'console', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ isSuccess: true });
    expect(stderr).toContain('Grüße');
    expect((await send([...BASIC, '--text', 'mail.txt', '--backend', 'console'])).stdout).toContain('Grüße');
  });

  test('shows the dialogue on stderr', async () => {
    const { stdout, stderr } = await send([...BASIC, '--text', 'mail.txt', '--url', url, '--debug']);
    expect(stderr).toContain('RCPT TO:<ann@example.org>');
    expect(stdout).toMatch(/^sent/);
  });

  test('prints what a server says without letting it move the cursor', async () => {
    server.on('RCPT', '550 5.1.1 \u001b[2Jgone');
    const { stdout, stderr } = await send([...BASIC, '--text', 'mail.txt', '--url', url]);
    expect(stdout + stderr).toContain('gone');
    expect(stdout + stderr).not.toContain('\u001b');
  });
});

describe('its exit code is', () => {
  test.each([
    ['1 when the server refuses for good', '550 5.7.1 No', 1],
    ['75 when it may take the mail later', '451 4.3.0 Later', 75],
  ])('%s', async (_, reply, expected) => {
    server.on('RCPT', reply);
    const { code, stdout, stderr } = await send([...BASIC, '--text', 'mail.txt', '--url', url]);
    expect(code).toBe(expected);
    expect(stdout).toMatch(/ann@example\.org/);
    expect(stderr).toMatch(/^amsdal-mail: .*\n$/);
  });

  test('1 when nobody knows', async () => {
    server.once('message', { end: 'rst' });
    const { code, stdout } = await send([...BASIC, '--text', 'mail.txt', '--url', url]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^unknown/);
  });

  test('75 when nothing listens there', async () => {
    const { code, stdout } = await send([...BASIC, '--text', 'mail.txt', '--url', 'smtp://127.0.0.1:1', '--json']);
    expect(code).toBe(75);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'refused' } });
  });

  test.each([
    ['an unknown option', ['--nope'], "Unknown option '--nope'; amsdal-mail send --help lists the options"],
    [
      'a value that looks like an option',
      [...BASIC, '--subject', '-10 %'],
      "argument is ambiguous; To specify an option argument starting with a dash use '--subject=-XYZ'",
    ],
    ['an argument too many', [...BASIC, 'x'], "Unexpected argument 'x'"],
    ['no subject', ['--to', 'a@example.org', '--text', 'mail.txt'], '--subject is missing'],
    ['nothing to send', BASIC, 'there is nothing to send: give --text, --html, --eml or --attach, or pipe the text in'],
    ['no sender', [...BASIC.slice(2), '--text', 'mail.txt'], '--from is missing: give it, or set AMSDAL_EMAIL_FROM'],
    ['no recipient', [...BASIC.slice(0, 2), ...BASIC.slice(4), '--text', 'mail.txt'], '--to: '],
    ['no address', [...BASIC, '--cc', 'nobody', '--text', 'mail.txt'], '--cc: "nobody" is not an email address'],
    [
      'two addresses in one',
      [...BASIC, '--cc', 'a@example.org, b@example.org', '--text', 'mail.txt'],
      'repeat the option',
    ],
    ['a file that is not there', [...BASIC, '--text', 'nope.txt'], '--text nope.txt cannot be read: ENOENT'],
    [
      'an attachment that is not there',
      [...BASIC, '--attach', 'nope.pdf'],
      "--attach: the file 'nope.pdf' cannot be read",
    ],
    ['text that is not UTF-8', [...BASIC, '--text', 'latin1.txt'], '--text latin1.txt is not UTF-8'],
    ['a header without a name', [...BASIC, '--header', 'x', '--text', 'mail.txt'], "--header must be 'Name: value'"],
    ['a header given twice', [...BASIC, '--header', 'X: 1', '--header', 'X: 2'], '--header X is given twice'],
    ['two bodies from stdin', [...BASIC, '--text', '-', '--html', '-'], '--text and --html cannot both be stdin'],
    ['a mail beside a mail', ['--eml', 'mail.eml', '--text', 'mail.txt'], '--eml is a whole mail'],
    [
      'two connections',
      [...BASIC, '--text', 'mail.txt', '--backend', 'smtp'],
      '--backend and --url both say where to send',
    ],
    ['a template without people', [...BASIC, '--template', 'mail.html'], '--template needs --csv'],
    ['people without a template', [...BASIC, '--csv', 'list.csv', '--html', 'mail.html'], '--csv needs --template'],
  ])('2 for %s', async (_, args, message) => {
    const { code, stdout, stderr } = await send([...args, '--url', url, '--json']);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'usage' } });
    expect(code).toBe(2);
    expect(server.connections).toEqual([]);
  });
});
