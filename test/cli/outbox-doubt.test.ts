import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Outbox } from '../../src/connection/outbox.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { until } from '../servers/process.ts';
import { ended, runCli, startCli } from './run-cli.ts';

it('a worker that is cut off says so, and the doubts that it leaves are found and decided', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-outbox-doubt-'));
  const subjects: string[] = [];
  let isStalled = true;
  const server = await SmtpServer.start({
    onMessage({ bytes }) {
      subjects.push(/^Subject: (.+)\r$/m.exec(Buffer.from(bytes).toString())?.[1] ?? '');
      return isStalled ? new Promise<undefined>(() => {}) : undefined;
    },
  });
  const store = `sqlite:${join(folder, 'mail.db')}`;
  const env = { AMSDAL_EMAIL_URL: `outbox:${store}?via=smtp://127.0.0.1:${server.port}` };
  const cli = (...args: readonly string[]) => runCli(args, { env });
  try {
    const outbox = new Outbox({ store, connection: 'dummy' });
    const mail = { body: 'Hello', fromEmail: 'shop@example.com', to: 'jane@example.org' };
    const [one, two] = await outbox.enqueue([
      { ...mail, subject: 'one' },
      { ...mail, subject: 'two' },
    ]);
    const ids = [one?.id ?? '', two?.id ?? ''];
    await outbox.enqueue({ ...mail, subject: 'later', sendAt: new Date(Date.now() + 3_600_000) }, { lane: 'bulk' });
    await outbox.close();

    const worker = startCli(['worker', '--drain', '0', '--concurrency', '2'], { env });
    const running = ended(worker);
    await until(
      () => subjects.length === 2,
      () => `the server has ${subjects}`,
    );
    worker.kill('SIGTERM');
    const said = { code: 1, stdout: '0 sent, 2 in doubt\n', stderr: expect.stringContaining('list --state in-doubt') };
    expect(await running).toMatchObject(said);

    expect(await cli('outbox', 'stats')).toMatchObject({ code: 1, stdout: expect.stringMatching(/in-doubt +2/) });
    expect(JSON.parse((await cli('outbox', 'stats', '--json')).stdout)).toMatchObject({
      lanes: { transactional: { 'in-doubt': 2 }, bulk: { queued: 1 } },
      health: { status: 'attention', inDoubt: 2 },
    });
    const listed = async (...args: readonly string[]) =>
      (JSON.parse((await cli('outbox', 'list', '--json', ...args)).stdout) as { id: string }[]).map(({ id }) => id);
    expect(await listed('--state', 'in-doubt')).toEqual(ids.toReversed());
    expect(await listed('--lane', 'transactional', '--limit', '1')).toEqual([two?.id]);
    expect(await listed('--before', two?.id ?? '')).toEqual([one?.id]);
    expect(await listed('--text', 'ONE')).toEqual([one?.id]);

    expect(await cli('outbox', 'resolve', ids[0] ?? '', '--as', 'sent')).toMatchObject({ code: 0 });
    expect(await cli('outbox', 'resolve', ids[1] ?? '', '--as', 'resend')).toMatchObject({ code: 0 });
    isStalled = false;
    expect(await cli('worker', '--once')).toMatchObject({ code: 0, stdout: '1 sent\n' });
    expect(subjects.toSorted()).toEqual(['one', 'two', 'two']);
    expect(await cli('outbox', 'stats')).toMatchObject({ code: 0 });
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
});
