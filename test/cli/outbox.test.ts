import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Outbox } from '../../src/connection/outbox.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { until } from '../servers/process.ts';
import { ended, runCli, startCli } from './run-cli.ts';

let folder = '';
let url = '';
let server: SmtpServer;
let answer: string | undefined;
let received = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-outbox-cli-'));
  server = await SmtpServer.start({
    onMessage() {
      received++;
      return answer;
    },
  });
  url = `outbox:sqlite:${join(folder, 'mail.db')}?via=smtp://127.0.0.1:${server.port}`;
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const outboxCli = (...args: readonly string[]) => runCli(args, { env: { AMSDAL_EMAIL_URL: url } });
const send = () =>
  runCli(
    ['send', '--from', 'shop@example.com', '--to', 'jane@example.org', '--subject', 'Hi', '--text', '-', '--json'],
    { env: { AMSDAL_EMAIL_URL: url }, input: 'Hello' },
  );

/** Where `outbox ui --json` says that its page is. */
async function pageOf({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('no output');
  const [line] = await once(createInterface(stdout), 'line');
  return JSON.parse(line).url;
}

/** A request with headers that fetch does not let callers choose. */
async function get(page: string, headers: Record<string, string>): Promise<{ readonly status: number | undefined }> {
  const [response] = await once(request(page.replace('0.0.0.0', '127.0.0.1'), { headers }).end(), 'response');
  response.resume();
  return { status: response.statusCode };
}

async function idsOf(state: string): Promise<readonly string[]> {
  const { stdout } = await outboxCli('outbox', 'list', '--state', state, '--json');
  return (JSON.parse(stdout) as { readonly id: string }[]).map(({ id }) => id);
}

describe('amsdal-mail worker and outbox', () => {
  it('write a mail down, show it, send it, and show what became of it', async () => {
    expect(await send()).toMatchObject({ code: 0, stdout: expect.stringContaining('queued') });
    expect(statSync(join(folder, 'mail.db')).mode & 0o777).toBe(0o600);
    const [id = ''] = await idsOf('queued');
    expect((await outboxCli('outbox', 'show', id)).stdout).toContain('jane@example.org: queued');
    expect(await outboxCli('worker', '--once')).toMatchObject({ code: 0, stdout: '1 sent\n' });
    expect(received).toBe(1);
    expect((await outboxCli('outbox', 'show', id)).stdout).toMatch(/sent 250/);
    expect((await outboxCli('outbox', 'stats')).stdout).toMatch(/transactional +sent +1/);
    expect((await outboxCli('outbox', 'prune', '--older-than', '0')).stdout).toBe('1 deleted\n');
  });

  it('cancel, try again, and say when a mail is in another state', async () => {
    await send();
    const [id = ''] = await idsOf('queued');
    expect(await outboxCli('outbox', 'cancel', id)).toMatchObject({ code: 0, stdout: `${id}  cancelled\n` });
    expect(await outboxCli('outbox', 'cancel', id)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('not changed'),
    });
    answer = '550 5.7.1 no';
    await send();
    expect(await outboxCli('worker', '--once')).toMatchObject({ code: 0, stdout: '0 sent, 1 failed\n' });
    answer = undefined;
    const [failed = ''] = await idsOf('failed');
    expect(await outboxCli('outbox', 'retry', failed)).toMatchObject({ code: 0 });
    expect(await outboxCli('worker', '--once')).toMatchObject({ code: 0, stdout: '1 sent\n' });
  });

  it('write the rows of a CSV file down once, in the lane of the URL', async () => {
    writeFileSync(join(folder, 'people.csv'), 'email,name\nann@example.org,Ann\nbob@example.org,Bob\n');
    writeFileSync(join(folder, 'mail.txt'), 'Hello {{name}}');
    const args = ['send', '--csv', 'people.csv', '--text-template', 'mail.txt', '--subject', 'Hi {{name}}'];
    const bulk = () =>
      runCli([...args, '--from', 'shop@example.com'], { cwd: folder, env: { AMSDAL_EMAIL_URL: `${url}&lane=bulk` } });
    expect(await bulk()).toMatchObject({ code: 0, stdout: '0 sent, 2 queued\n' });
    expect(await bulk()).toMatchObject({ code: 0, stdout: '0 sent, 2 queued (2 before)\n' });
    expect(await outboxCli('worker', '--once', '--lane', 'bulk')).toMatchObject({ code: 0, stdout: '2 sent\n' });
  });

  it('ends a worker in good order at SIGTERM', async () => {
    const worker = startCli(['worker'], { env: { AMSDAL_EMAIL_URL: url } });
    const running = ended(worker);
    const before = received;
    const outbox = new Outbox({ store: `sqlite:${join(folder, 'mail.db')}`, connection: 'dummy' });
    await outbox.enqueue({ subject: 'Hi', body: 'Hello', fromEmail: 'shop@example.com', to: 'joe@example.org' });
    await outbox.close();
    await until(
      () => received > before,
      () => `${received} received`,
    );
    worker.kill('SIGTERM');
    expect(await running).toMatchObject({ code: 0, stdout: '1 sent\n' });
  });

  it('serve a page to this machine, until SIGTERM', async () => {
    const ui = startCli(['outbox', 'ui', '--port', '0', '--read-only', '--json'], { env: { AMSDAL_EMAIL_URL: url } });
    const running = ended(ui);
    const page = await pageOf(ui);
    expect(page).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await (await fetch(page)).text()).toContain('<title>Outbox</title>');
    // As it is in the package, where the pages share a script.
    expect(await (await fetch(`${page}?file=outbox.js`)).text()).toContain("import(new URL('?file=shared.js'");
    expect((await fetch(`${page}?file=shared.js`)).status).toBe(200);
    expect(await (await fetch(`${page}?do=overview`)).json()).toMatchObject({ store: 'sqlite', isReadOnly: true });
    const host = { host: 'mail.example.com' };
    expect((await get(page, host)).status).toBe(403);
    ui.kill('SIGTERM');
    expect(await running).toMatchObject({ code: 0 });
  });

  it('serve a page to others with a password alone', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'correct horse\n');
    const args = ['outbox', 'ui', '--port', '0', '--host', '0.0.0.0', '--password-file', file, '--json'];
    const ui = startCli(args, { env: { AMSDAL_EMAIL_URL: url } });
    const running = ended(ui);
    const page = await pageOf(ui);
    const authorization = `Basic ${Buffer.from('outbox:correct horse').toString('base64')}`;
    expect((await get(page, { host: 'mail.example.com' })).status).toBe(401);
    expect((await get(page, { host: 'mail.example.com', authorization })).status).toBe(200);
    ui.kill('SIGTERM');
    expect(await running).toMatchObject({ code: 0 });
  });

  it.each([
    [['outbox', 'ui', '--host', '0.0.0.0'], /lets other machines read and change the outbox: give --password-file/],
    [['outbox', 'ui', '--host', '::'], /--password-file/],
    [['outbox', 'ui', '--host', 'mail.example.com'], /--password-file/],
    [['outbox', 'ui', '--password-file', '/nonexistent'], /--password-file cannot be read/],
    [['outbox', 'ui', '--port', '99999'], /cannot be listened on/],
    [['outbox', 'ui', 'x'], /takes no id/],
    [['outbox'], /needs one of list, show/],
    [['outbox', 'show'], /needs the id/],
    [['outbox', 'list', 'x'], /takes no id/],
    [['outbox', 'list', '--state', 'gone'], /--state is one of/],
    [['outbox', 'list', '--as', 'sent'], /--as is for outbox resolve, and does nothing for list/],
    [['outbox', 'resolve', 'x'], /--as sent or --as resend/],
    [['outbox', 'show', 'x'], /there is no mail x/],
    [['outbox', 'cancel', 'x'], /there is no mail x/],
    [['worker', '--concurrency', 'many'], /must be a number/],
    [['worker', '--concurrency', '0'], /must be 1 or more/],
    [['worker', '--lane', 'fast'], /no lane 'fast'/],
  ])('%j says what is wrong', async (args, message) => {
    expect(await outboxCli(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
  });

  it('say which connection they need, and print the tables of Postgres without any', async () => {
    const { code, stderr } = await runCli(['worker', '--backend', 'dummy']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('the connection is dummy and no outbox')]);
    const { stdout } = await runCli(['outbox', 'migrate']);
    expect(stdout).toContain('CREATE TABLE');
  });
});
