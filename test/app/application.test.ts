import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MailAppConfig, type MailServiceOptions, ServerShutdown, ServerStartup, startMail } from '../../src/app.ts';
import { getConnection } from '../../src/connection/connection.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import { sendMail } from '../../src/connection/send.ts';
import { onShutdownSignal } from '../../src/connection/shutdown-signals.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';

/** A busy machine takes more than the second that is usual. */
const WAIT = { timeout: 15_000 };

const root = fileURLToPath(new URL('../..', import.meta.url));
const mail = { subject: 'Hello', message: 'Text', fromEmail: 'shop@example.com', recipientList: ['ann@example.org'] };

/** A receiver that notes what arrives: subject and recipients. */
async function receive(onArrival: (count: number) => void = () => {}) {
  const arrived: string[] = [];
  const server = await SmtpServer.start({
    onMessage: ({ bytes, envelope }) => {
      const subject = /^Subject: (.*)\r$/m.exec(Buffer.from(bytes).toString())?.[1];
      arrived.push(`${subject} -> ${envelope.rcptTo.join()}`);
      onArrival(arrived.length);
      return undefined;
    },
  });
  return { server, arrived, url: `smtp://127.0.0.1:${server.port}` };
}

/** Runs a script of this package; `variables` are all of AMSDAL's that it sees. */
function run(script: string, args: readonly string[], variables: Record<string, string>) {
  const others = Object.entries(process.env).filter(([name]) => !/^(?:AMSDAL|AWS)_/.test(name));
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...Object.fromEntries(others), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return { child, output, ended: once(child, 'close') };
}

describe('an application of its own process', () => {
  test('the example: a plugin changes one mail and cancels another', async () => {
    const { server, arrived, url } = await receive();
    const { output, ended } = run('examples/plugin/main.js', [], { AMSDAL_EMAIL_URL: url });
    const [code] = await ended;
    await server.close();
    expect(output).toEqual({
      stdout: 'plugins: amsdal_mail, audit\nann@example.com: sent\nbob@left.example: failed\n',
      stderr: 'failed: Hello: cancelled\n',
    });
    expect(code).toBe(0);
    expect(arrived).toEqual(['[shop] Hello -> ann@example.com']);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s in the midst of many mails loses and doubles none', async (signal) => {
    const count = 2_000;
    let end = (): void => {};
    const { server, arrived, url } = await receive((received) => {
      if (received === 100) end();
    });
    const { child, output, ended } = run('test/app/bulk-child.js', [String(count)], {
      AMSDAL_CONTRIBS: 'amsdal_mail.app.MailAppConfig',
      AMSDAL_EMAIL_URL: url,
    });
    end = () => child.kill(signal);
    expect(await ended).toEqual([null, signal]);
    await server.close();
    expect(output).toEqual({ stdout: JSON.stringify({ isSuccess: true, recipients: count }), stderr: '' });
    const expected = Array.from({ length: count }, (_, index) => `Mail ${index} -> u${index}@example.org`);
    expect(arrived.toSorted()).toEqual(expected.toSorted());
  });

  test('SIGTERM in the midst of an outbox’s mails: what is under way is sent, and the next worker sends the rest', async () => {
    const count = 1_000;
    let end = (): void => {};
    const { server, arrived, url } = await receive((received) => {
      if (received === 100) end();
    });
    const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-application-'));
    const store = `sqlite:${join(folder, 'mail.db')}`;
    const { child, output, ended } = run('test/app/bulk-child.js', [String(count)], {
      AMSDAL_CONTRIBS: 'amsdal_mail.app.MailAppConfig',
      AMSDAL_EMAIL_URL: `outbox:${store}?via=${url}`,
    });
    end = () => child.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(output.stdout).toBe(JSON.stringify({ isSuccess: true, recipients: count }));

    const outbox = new Outbox({ store, connection: url });
    const { sent, queued, ...others } = (await outbox.stats()).lanes['transactional'] ?? {};
    expect({ others, sent }).toEqual({ others: {}, sent: arrived.length });
    expect((sent ?? 0) + (queued ?? 0)).toBe(count);
    await outbox.flush();
    await outbox.close();
    const expected = Array.from({ length: count }, (_, index) => `Mail ${index} -> u${index}@example.org`);
    expect(arrived.toSorted()).toEqual(expected.toSorted());
    await server.close();
    rmSync(folder, { recursive: true });
  });
});

describe('startMail', () => {
  beforeEach(() => {
    for (const name of Object.keys(process.env)) if (/^(?:AMSDAL|AWS)_/.test(name)) vi.stubEnv(name, undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
  const start = (options: MailServiceOptions = {}) => startMail({ signals: false, ...options });

  test('closes once, after the mails under way', async () => {
    const { server, arrived, url } = await receive();
    vi.stubEnv('AMSDAL_EMAIL_URL', url);
    const service = await start();
    const sending = Promise.all(Array.from({ length: 50 }, () => sendMail(mail)));
    const closing = service.close();
    expect(service.close()).toBe(closing);
    await closing;
    expect(arrived).toHaveLength(50);
    expect((await sending).every(({ isSuccess }) => isSuccess)).toBe(true);
    await vi.waitFor(() => expect(server.connections).toBe(0), WAIT);
    await server.close();
  });

  test('warns of a server that is down, and starts all the same', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { server, url } = await receive();
    await server.close();
    const service = await start({ connection: url });
    await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(1), WAIT);
    expect(warn.mock.calls[0]).toEqual([
      expect.stringContaining('the smtp connection cannot be opened'),
      { type: 'AmsdalMailWarning', code: 'refused' },
    ]);
    await service.close();
  });

  test('with verify it does not start, and the plugins are told', async () => {
    const told: string[] = [];
    const undo = ServerShutdown.subscribe((context, next) => {
      told.push('shutdown');
      return next(context);
    });
    const { server, url } = await receive();
    await server.close();
    await expect(start({ connection: url, verify: true })).rejects.toMatchObject({ code: 'refused' });
    undo();
    expect(told).toEqual(['shutdown']);
  });

  test('a plugin that throws at the start keeps the server from starting; one that throws at the end is told, after all is closed', async () => {
    const failing = () => {
      throw new Error('no licence');
    };
    const undoStart = ServerStartup.subscribe(failing);
    await expect(start()).rejects.toThrow('no licence');
    undoStart();
    const undoEnd = ServerShutdown.subscribe(failing);
    const connection = getConnection('dummy');
    const closed = vi.spyOn(connection, 'close');
    const service = await start({ connection });
    await expect(service.close()).rejects.toThrow('no licence');
    undoEnd();
    expect(closed).toHaveBeenCalledTimes(1);
  });

  test('MailAppConfig opens the default connection with the server, and drains every shared one at its end', async () => {
    const { server, arrived, url } = await receive();
    vi.stubEnv('AMSDAL_EMAIL_URL', `${url}?idleMs=60000`);
    vi.stubEnv('AMSDAL_EMAIL_BULK_URL', `${url}?idleMs=60000`);
    const app = new MailAppConfig({ verify: true });
    app.onSetup();
    app.onReady();
    const service = await start({ connection: 'dummy' });
    await vi.waitFor(() => expect(server.connections).toBe(1), WAIT); // verify has its own, and hangs up
    await Promise.all([sendMail(mail), sendMail({ ...mail, connection: '@bulk' })]);
    const last = sendMail({ ...mail, connection: '@bulk' });
    await service.close();
    await last;
    expect(arrived).toHaveLength(3);
    await vi.waitFor(() => expect(server.connections).toBe(0), WAIT);
    await server.close();
  });
});

describe('signals', () => {
  test('run every stop, report what fails, and leave the end to the application that listens, too', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => true);
    const theirs = vi.fn();
    process.on('SIGTERM', theirs);
    const stops = [vi.fn(async () => {}), vi.fn(async () => Promise.reject(new Error('stuck')))];
    for (const stop of stops) onShutdownSignal(stop);
    process.emit('SIGTERM', 'SIGTERM');
    for (const stop of [theirs, ...stops]) expect(stop).toHaveBeenCalledTimes(1);
    await vi.waitFor(
      () => expect(warn).toHaveBeenCalledWith(expect.stringContaining('stuck'), 'AmsdalMailWarning'),
      WAIT,
    );
    expect(kill).not.toHaveBeenCalled();
    process.off('SIGTERM', theirs);
    expect(process.listenerCount('SIGTERM') + process.listenerCount('SIGINT')).toBe(0);
    vi.restoreAllMocks();
  });
});
