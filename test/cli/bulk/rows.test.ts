import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';
import type { CliRun } from '../run-cli.ts';
import { runCommand, withoutProgress } from '../run-command.ts';

let server: ScriptedSmtpServer;
let folder = '';
beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
});
afterAll(() => server.close());
beforeEach(() => {
  server.reset();
  folder = mkdtempSync(join(tmpdir(), 'rows-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const send = (csv: string, ...more: readonly string[]): Promise<CliRun> => {
  writeFileSync(join(folder, 'people.csv'), csv);
  writeFileSync(join(folder, 'mail.txt'), 'Hello {{name}}');
  const args = [
    'send',
    '--csv',
    'people.csv',
    '--text-template',
    'mail.txt',
    '--subject',
    'Hi',
    '--from',
    'a@example.com',
  ];
  return runCommand([...args, '--url', `smtp://127.0.0.1:${server.port}`, ...more], { cwd: folder });
};
const recipients = (): string[] => server.messages.flatMap(({ envelope }) => envelope.rcptTo).sort();

describe('rows that a spreadsheet leaves', () => {
  test.each([
    ['empty cells at the end', 'email,name\r\nann@x.org,Ann\r\n,\r\n , \r\n"",""\r\n'],
    ['empty cells in the midst, of another number', 'email,name\n,,,\nann@x.org,Ann\n'],
    ['the separator in the first line', '\ufeffsep=,\r\nemail,name\r\nann@x.org,Ann\r\n'],
    ['the separator in quotes', '"sep=,"\nemail,name\nann@x.org,Ann\n'],
  ])('%s', async (_, csv) => {
    expect(withoutProgress(await send(csv))).toEqual({ code: 0, stdout: '1 sent\n', stderr: '' });
    expect(recipients()).toEqual(['ann@x.org']);
  });

  test.each([
    ['sep=;\nemail;name\nann@x.org;Ann\n', "separated by ';': save it as CSV with commas"],
    ['sep=\t\nemail\tname\n', 'separated by a tab: save it as CSV with commas'],
  ])('another separator is refused: %j', async (csv, text) => {
    const { code, stderr } = await send(csv);
    expect(stderr).toContain(text);
    expect(code).toBe(2);
  });

  test('a row without an address is wrong', async () => {
    const { code, stdout } = await send('email,name\n,Ann\n');
    expect(stdout).toMatch(/^invalid {2}line 2/);
    expect(code).toBe(1);
  });
});

describe('an address that stands twice', () => {
  const CSV = 'email,name\nann@x.org,Ann\nbob@x.org,Bob\nAnn@X.org,Ann Lee\nann@x.org,A\n';

  test('is told, and sent to as often as it stands there', async () => {
    const { code, stdout, stderr } = await send(CSV);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '4 sent\n' });
    expect(stderr).toBe(
      '2 rows have an address that appears in an earlier row: --unique sends one mail to each address\n',
    );
  });

  test('gets one mail with --unique, the first', async () => {
    const { code, stdout, stderr } = await send(CSV, '--unique', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sent: 2, unsent: 0, repeated: 2 });
    expect(stderr).toBe('2 rows have an address that appears in an earlier row: left out\n');
    expect(recipients()).toEqual(['ann@x.org', 'bob@x.org']);
    expect((await send(CSV, '--unique')).stdout).toBe('2 sent (2 before)\n');
    expect(recipients()).toHaveLength(2);
  });

  test('gets the mail of a later row with --unique where the first makes none', async () => {
    const csv = 'email,name,reply\nann@x.org,Ann,nobody at all\nann@x.org,Ann,ok@x.org\nann@x.org,Ann,ok@x.org\n';
    const { stdout } = await send(csv, '--reply-to', '{{reply}}', '--unique', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ sent: 1, repeated: 1 });
    expect(recipients()).toEqual(['ann@x.org']);
  });

  test('is told in a dry run, with and without --unique', async () => {
    const { stdout, stderr } = await send('email,name\nann@x.org,Ann\nann@x.org,Ann\n', '--dry-run');
    expect(stdout).toBe('2 would be sent, 0 sent\n');
    expect(stderr).toBe(
      '1 row has an address that appears in an earlier row: --unique sends one mail to each address\n',
    );
    const unique = await send('email,name\nann@x.org,Ann\nann@x.org,Ann\n', '--dry-run', '--unique', '--json');
    expect(JSON.parse(unique.stdout)).toMatchObject({ wouldSend: 1, repeated: 1 });
  });

  test('is one that is the whole To of a row', async () => {
    const csv = 'email,second,name\nann@x.org,bob@x.org,A\nbob@x.org,cleo@x.org,B\nbob@x.org,ann@x.org,C\n';
    const { stdout } = await send(csv, '--to', '{{email}}', '--to', '{{second}}', '--unique', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ sent: 2, repeated: 1 });
  });

  test('needs --csv to be left out', async () => {
    const { code, stderr } = await runCommand(['send', '--unique', '--to', 'a@x.org']);
    expect(stderr).toContain('--unique needs --csv');
    expect(code).toBe(2);
  });
});
