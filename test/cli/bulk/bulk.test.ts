import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';
import { until } from '../../servers/process.ts';
import { type CliRun, ended, runCli, startCli } from '../run-cli.ts';
import { runCommand, withoutProgress } from '../run-command.ts';

let server: ScriptedSmtpServer;
let folder = '';
beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
});
afterAll(() => server.close());
beforeEach(() => {
  server.reset();
  folder = mkdtempSync(join(tmpdir(), 'bulk-'));
  write('mail.html', '<p>Hello {{name}}</p>');
  write('people.csv', 'email,name\nann@example.org,Ann\nbob@example.org,"<b>Bob</b>, Jr."\neve@example.org,Eve\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string | Uint8Array): void => writeFileSync(join(folder, name), text);
const argsOf = (more: readonly string[]): readonly string[] => [
  ...['send', '--csv', 'people.csv', '--template', 'mail.html', '--subject', 'Hi {{name}}'],
  ...['--from', 'shop@example.com', '--url', `smtp://127.0.0.1:${server.port}`, ...more],
];
const send = (...more: readonly string[]): Promise<CliRun> => runCommand(argsOf(more), { cwd: folder });
const recipients = (): string[] => server.messages.flatMap(({ envelope }) => envelope.rcptTo).sort();
const EVERYBODY = ['ann@example.org', 'bob@example.org', 'eve@example.org'];
const manyPeople = (count: number): string =>
  `email,name\n${Array.from({ length: count }, (_, number) => `user${number}@example.org,User ${number}\n`).join('')}`;

describe('amsdal-mail send --csv', () => {
  test('sends a mail of its own to every row, escaped in HTML and as it is in text and subject', async () => {
    write('mail.txt', 'Hello {{name}}');
    const more = ['--text-template', 'mail.txt', '--to', '{{name}} <{{email}}>', '--attach', 'mail.txt'];
    const args = argsOf([...more, '--header', 'X-Name: {{name}}']);
    const { code, stdout, stderr } = withoutProgress(await runCli(args, { cwd: folder }));
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '3 sent\n', stderr: '' });
    const mails = await Promise.all(server.messages.map(({ bytes }) => simpleParser(Buffer.from(bytes))));
    const bob = mails.find(({ text }) => text?.includes('Bob'));
    expect(bob).toMatchObject({
      subject: 'Hi <b>Bob</b>, Jr.',
      text: 'Hello <b>Bob</b>, Jr.',
      html: '<p>Hello &lt;b&gt;Bob&lt;/b&gt;, Jr.</p>',
      to: { value: [{ name: '<b>Bob</b>, Jr.', address: 'bob@example.org' }] },
      attachments: [{ filename: 'mail.txt' }],
    });
    expect(bob?.headers.get('x-name')).toBe('<b>Bob</b>, Jr.');
    expect(recipients()).toEqual(EVERYBODY);
  });

  test('sends nothing twice', async () => {
    await send();
    const { code, stdout } = await send('--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sent: 3, sentBefore: 3, rows: [] });
    expect(recipients()).toEqual(EVERYBODY);
  });

  test('sends the rows that were added since', async () => {
    await send();
    write('people.csv', `${readFileSync(join(folder, 'people.csv'), 'utf8')}new@example.org,New\n`);
    expect((await send()).stdout).toBe('4 sent (3 before)\n');
    expect(recipients()).toEqual(['ann@example.org', 'bob@example.org', 'eve@example.org', 'new@example.org']);
  });

  test.each([
    [
      'a row that was sent',
      'people.csv',
      'email,name\nann@example.org,Anna\nbob@example.org,x\neve@example.org,Eve\n',
      /line 2/,
    ],
    ['the rows, which are fewer now', 'people.csv', 'email,name\nann@example.org,Ann\n', /row 2 was sent/],
    ['the order', 'people.csv', 'email,name\nbob@example.org,"<b>Bob</b>, Jr."\nann@example.org,Ann\n', /line 2/],
    ['the template', 'mail.html', '<p>Hallo {{name}}</p>', /line 2/],
  ])('notices when somebody has edited %s, and sends nothing', async (_, name, text, message) => {
    await send();
    write(name, text);
    const { code, stderr } = await send();
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(recipients()).toEqual(EVERYBODY);
  });

  test('does not mind columns that the mail does not name', async () => {
    await send();
    write(
      'people.csv',
      'note,email,name\n1,ann@example.org,Ann\n2,bob@example.org,"<b>Bob</b>, Jr."\n3,eve@example.org,Eve\n',
    );
    expect((await send()).stdout).toBe('3 sent (3 before)\n');
  });

  test('lists who was refused, and tries again who may take it later', async () => {
    server.on('RCPT', ({ argument }) =>
      argument.includes('ann@') ? '550 5.1.1 No such user' : argument.includes('bob@') ? '451 4.3.0 Later' : undefined,
    );
    const first = await runCli(argsOf([]), { cwd: folder });
    expect(first.code).toBe(75);
    expect(first.stdout).toMatch(/^invalid {2}line 2 {2}ann@example\.org {2}550 5\.1\.1 No such user$/m);
    expect(first.stdout).toMatch(/^failed {3}line 3 {2}bob@example\.org {2}451 4\.3\.0 Later$/m);
    expect(first.stdout).toMatch(/^1 sent, 1 invalid, 1 failed$/m);
    expect(first.stderr).toContain('the same command tries them again');
    server.reset();
    const second = await runCli(argsOf(['--json']), { cwd: folder });
    expect(second.code).toBe(1);
    expect(JSON.parse(second.stdout)).toMatchObject({
      sent: 2,
      sentBefore: 1,
      invalid: 1,
      rows: [{ row: 1, line: 2, to: 'ann@example.org', outcome: 'invalid', code: 550 }],
    });
    expect(recipients()).toEqual(['bob@example.org']);
  });

  test('sends a row that was refused when it was corrected', async () => {
    write('people.csv', 'email,name\nann@example,Ann\nbob,Bob\n');
    const { code, stdout } = await send();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^invalid {2}line 3 {2}bob /m);
    write('people.csv', 'email,name\nann@example,Ann\nbob@example.org,Bob\n');
    expect((await send()).stdout).toBe('2 sent (1 before)\n');
  });

  test('tells who of a row did not get it, and sends it no more', async () => {
    server.on('RCPT', ({ argument }) => (argument.includes('boss@') ? '550 5.1.1 No such user' : undefined));
    write('people.csv', 'email,name\nann@example.org,Ann\n');
    const { code, stdout } = await send('--cc', 'boss@example.org');
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^sent {2}line 2 {2}ann@example\.org {2}but not boss@example\.org invalid 550 .*No such user$/m,
    );
    const again = await send('--cc', 'boss@example.org', '--retry-refused');
    expect(again).toMatchObject({ code: 0, stdout: '1 sent (1 before)\n' });
    expect(recipients()).toEqual(['ann@example.org']);
  });

  test('does not take a row for sent that only was printed', async () => {
    const printed = argsOf(['--json']).toSpliced(-3, 2, '--backend', 'console');
    expect(JSON.parse((await runCommand(printed, { cwd: folder })).stdout)).toMatchObject({ sent: 3 });
    const { code, stderr } = await send();
    expect(code).toBe(2);
    expect(stderr).toContain("or that run's mails were caught or redirected");
    expect(stderr).toContain('another --journal starts over');
    expect(server.connections).toEqual([]);
  });

  test('does not take a row for sent that a guard has sent to somebody else', async () => {
    const env = { AMSDAL_EMAIL_REDIRECT_TO: 'staging@example.com' };
    expect((await runCommand(argsOf([]), { cwd: folder, env })).stdout).toBe('3 sent\n');
    expect((await send()).code).toBe(2);
    expect(recipients()).toEqual(Array(3).fill('staging@example.com'));
  });

  test('sends to the others when a cell names no sender', async () => {
    write('people.csv', 'email,sender\nann@example.org,nobody\nbob@example.org,shop@example.com\n');
    write('mail.html', 'x');
    const { code, stdout } = await send('--from', '{{sender}}', '--subject', 'Hi');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^failed {2}line 2 {2}ann@example\.org .*"nobody" is not an email address/m);
    expect(recipients()).toEqual(['bob@example.org']);
  });

  test('lists rows in doubt, and sends them again only when told to', async () => {
    server.once('message', { end: 'rst' });
    // With one unanswered mail a connection, its loss leaves exactly one in doubt.
    const carefully = argsOf(['--json']).map((arg) => (arg.startsWith('smtp:') ? `${arg}?maxInFlight=1` : arg));
    const first = await runCommand(carefully, { cwd: folder });
    expect(first.code).toBe(1);
    const { unknown, rows } = JSON.parse(first.stdout);
    expect(unknown).toBe(1);
    server.reset();
    expect((await send()).stdout).toMatch(/^2 sent, 1 unknown \(2 before\)$/m);
    expect(recipients()).toEqual([]);
    const { code, stdout } = await send('--resend-unknown');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '3 sent (2 before)\n' });
    expect(recipients()).toEqual([rows[0].to]);
  });

  test('tries a run without sending anything', async () => {
    write('people.csv', 'email,name\nann@example.org,Ann\nbob,Bob\n');
    const { code, stdout } = await send('--dry-run');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^1 would be sent, 0 sent, 1 invalid$/m);
    expect(stdout).toMatch(/^invalid {2}line 3 {2}bob /m);
    expect(server.connections).toEqual([]);
    expect(JSON.parse((await send('--dry-run', '--json')).stdout)).toMatchObject({ wouldSend: 1, sent: 0, invalid: 1 });
    expect(() => readFileSync(join(folder, 'people.csv.journal'))).toThrow('ENOENT');
  });

  test('tries it with the sender of the connection, and with a rate that can be read', async () => {
    const url = 'smtp://127.0.0.1:1?defaultFrom=shop@example.com';
    const args = [
      'send',
      '--csv',
      'people.csv',
      '--template',
      'mail.html',
      '--subject',
      'Hi',
      '--url',
      url,
      '--dry-run',
    ];
    const { code, stdout } = await runCommand(args, { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '3 would be sent, 0 sent\n' });
    const wrong = await runCommand([...args, '--rate', 'nonsense'], { cwd: folder });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('rate');
  });

  test('keeps its journal where it is told to', async () => {
    await send('--journal', 'other.journal');
    expect(readFileSync(join(folder, 'other.journal'), 'utf8').match(/"sent"/g)).toHaveLength(3);
    expect((await send('--journal', 'people.csv')).stderr).toContain('people.csv is no journal of amsdal-mail');
  });

  test.each([
    [
      'a column that is not there',
      'mail.html',
      'x {{nam}}',
      '--template names {{nam}}, but the columns are: email, name',
    ],
    [
      'an address column that is not there',
      'people.csv',
      'mail,name\n',
      "no column is named email: say which has the address by --to '{{...}}'",
    ],
    [
      'a row that is too short',
      'people.csv',
      `${'email,name\n'}${'a@example.org,x\n'.repeat(50)}b@example.org\n`,
      'line 52: 1 cells',
    ],
    [
      'a quote that is not closed',
      'people.csv',
      'email,name\na@example.org,"x\n',
      'line 2 has a quote that is not closed',
    ],
    ['two columns of one name', 'people.csv', 'email,name,name\n', 'people.csv has two columns name'],
    ['a file with semicolons', 'people.csv', 'email;name\n', 'people.csv has no commas between its cells'],
    ['a file whose lines end with CR', 'people.csv', 'email,name\ra@example.org,x\r', 'lines that end with CR alone'],
    ['an empty file', 'people.csv', '', 'people.csv is empty'],
    [
      'what is not UTF-8',
      'people.csv',
      Buffer.from('email,name\na@example.org,\xe9\n', 'latin1'),
      'people.csv is not UTF-8',
    ],
  ])('sends nothing when there is %s', async (_, name, text, message) => {
    write(name, text);
    const { code, stderr } = await send();
    expect(stderr).toContain(message);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(code).toBe(2);
    expect(server.connections).toEqual([]);
  });

  test('gives up soon when the server lets nobody in, and goes on later', async () => {
    write('people.csv', manyPeople(500));
    server.on('connect', '421 4.3.2 Closed');
    const { code, stdout, stderr } = await send('--json');
    expect(code).toBe(75);
    const { sent, failed, unsent, unknown, error } = JSON.parse(stdout);
    expect({ sent, unknown, all: failed + unsent }).toEqual({ sent: 0, unknown: 0, all: 500 });
    expect(unsent).toBeGreaterThan(300);
    expect(error).not.toBeNull();
    expect(stderr).toContain('Closed');
    server.reset();
    expect((await send()).stdout).toBe('500 sent\n');
    expect(new Set(recipients()).size).toBe(500);
    expect(recipients()).toHaveLength(500);
  });

  test('stops when the sender is refused, and tries the refused again when told to', async () => {
    write('people.csv', manyPeople(500));
    server.on('MAIL', '550 5.7.1 Sender not allowed');
    const { code, stdout } = await send('--json');
    expect(code).toBe(1);
    const { sent, rejected, unsent } = JSON.parse(stdout);
    expect({ sent, all: rejected + unsent }).toEqual({ sent: 0, all: 500 });
    expect(rejected).toBeLessThan(200);
    server.reset();
    expect(JSON.parse((await send('--json')).stdout)).toMatchObject({ sent: unsent, rejected });
    expect((await send('--retry-refused')).stdout).toBe(`500 sent (${unsent} before)\n`);
    expect(new Set(recipients()).size).toBe(500);
    expect(recipients()).toHaveLength(500);
  });

  test('says that the sender is missing, and goes on when it is there', async () => {
    const args = argsOf([]).filter((argument) => argument !== '--from' && argument !== 'shop@example.com');
    const { code, stderr } = await runCommand(args, { cwd: folder });
    expect(stderr).toContain('amsdal-mail: --from is missing: give it, or set AMSDAL_EMAIL_FROM');
    expect(code).toBe(2);
    const { stdout } = await runCommand(args, { cwd: folder, env: { AMSDAL_EMAIL_FROM: 'shop@example.com' } });
    expect(stdout).toBe('3 sent\n');
  });

  test('sends nothing when an option is wrong for every row', async () => {
    const { code, stderr } = await send('--header', 'Date: {{name}}');
    expect(stderr).toMatch(/^amsdal-mail: --header: /);
    expect(code).toBe(2);
    expect(server.connections).toEqual([]);
  });

  test('sends nothing when the sender is none', async () => {
    const { code, stderr } = await send('--from', 'nobody');
    expect(stderr).toMatch(/^amsdal-mail: --from: /);
    expect(code).toBe(2);
    expect(() => readFileSync(join(folder, 'people.csv.journal'))).toThrow('ENOENT');
  });

  test('sends nothing when the people come by a pipe, which is read only once', async () => {
    const { code, stderr } = await runCli(argsOf(['--csv', '/dev/stdin']), { cwd: folder, input: 'email,name\n' });
    expect(stderr).toContain('/dev/stdin is no file');
    expect(code).toBe(2);
  });

  test('reads what a spreadsheet writes', async () => {
    write('people.csv', '\ufeffemail,name\r\nann@example.org,"Ann\r\nLee"\r\n');
    expect((await send('--subject', 'Hi')).stdout).toBe('1 sent\n');
    expect(recipients()).toEqual(['ann@example.org']);
  });

  test('sends no faster than it is told to', async () => {
    write('people.csv', manyPeople(21));
    const started = performance.now();
    expect((await send('--rate', '20/s')).code).toBe(0);
    expect(performance.now() - started).toBeGreaterThan(950); // 20 waits of 50 ms, which timers end a little early
  });
});

describe('a signal', () => {
  const interrupt = async (signal: NodeJS.Signals, times: number) => {
    write('people.csv', manyPeople(2000));
    // The fifth answer is late: it is under way when the signal comes.
    let count = 0;
    server.on('message', () =>
      ++count === 5 ? { reply: '250 2.0.0 Ok', delayMs: times > 1 ? 600_000 : 500 } : undefined,
    );
    const child = startCli(argsOf(['--rate', '100/s', '--json']), { cwd: folder });
    const running = ended(child);
    let said = '';
    child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await until(
      () => server.messages.length >= 5,
      () => `${server.messages.length} came`,
    );
    child.kill(signal);
    if (times > 1) {
      await until(
        () => said.includes('stopping'),
        () => said,
      );
      child.kill(signal);
    }
    return running;
  };

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s stops after what is under way, with nothing left in doubt', async (signal, expected) => {
    const { code, stdout, stderr } = await interrupt(signal, 1);
    expect(code).toBe(expected);
    expect(stderr).toMatch(/^stopping: (?:1 mail is|\d+ mails are) under way/);
    const { sent, unsent, unknown, ...report } = JSON.parse(stdout);
    expect(report).toMatchObject({ signal, failed: 0 });
    expect({ unknown, sent, all: sent + unsent }).toEqual({ unknown: 0, sent: server.messages.length, all: 2000 });
    server.on('message', undefined);
    expect((await send()).stdout).toBe(`2,000 sent (${sent} before)\n`);
    expect(new Set(recipients()).size).toBe(2000);
    expect(server.messages).toHaveLength(2000);
  });

  test('twice ends at once, and leaves in doubt what was under way', async () => {
    const { code } = await interrupt('SIGINT', 2);
    expect(code).toBe(130);
    const { stdout } = await send('--dry-run', '--json');
    const { unknown, sent, wouldSend } = JSON.parse(stdout);
    expect(unknown).toBeGreaterThan(0);
    expect(unknown + sent + wouldSend).toBe(2000);
  });
});
