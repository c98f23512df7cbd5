import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EmailBackend } from '../../src/backend/backend.ts';
import { type DeliveryResult, type Job, sameForAll } from '../../src/backend/job.ts';
import { getConnection, setDefaultConnection } from '../../src/connection/connection.ts';
import { sendEach, sendMail, sendMailSync } from '../../src/connection/send.ts';
import type { MessageResult } from '../../src/model/status.ts';
import { setEnvironment } from '../../src/options/environment.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';

const TO = 'staging@example.net';
const mail = {
  subject: 'Hello',
  message: 'Text',
  fromEmail: 'shop@example.com',
  recipientList: ['Ann <ann@customer.org>', 'bob@example.com'],
};

describe('AMSDAL_EMAIL_REDIRECT_TO and AMSDAL_EMAIL_ALLOW', () => {
  beforeEach(() => {
    for (const name of Object.keys(process.env)) if (/^(?:AMSDAL|AWS)_/.test(name)) vi.stubEnv(name, undefined);
    vi.stubEnv('AMSDAL_EMAIL_REDIRECT_TO', ` ${TO} `);
  });
  afterEach(() => vi.unstubAllEnvs());

  class CustomBackend extends EmailBackend {
    readonly name = 'custom';
    protected readonly features = new Set<never>();
    readonly seen: string[] = [];

    protected override deliverOne({ index, message }: Job): DeliveryResult {
      this.seen.push(...message.recipients.map(({ address }) => address));
      return { index, messageId: null, recipients: sameForAll(message, 'sent') };
    }
  }

  test('guard connections by name, class, and those that become the default', async () => {
    const named = getConnection('dummy', { store: true });
    const custom = getConnection(CustomBackend);
    const own = new CustomBackend();
    const restore = setDefaultConnection(own);
    await sendMail({ ...mail, connection: named });
    await sendMail({ ...mail, connection: custom });
    await sendMail(mail);
    restore();
    expect(named.messages.map(({ to }) => to)).toEqual([[TO]]);
    expect([custom.seen, own.seen]).toEqual([[TO], [TO]]);
  });

  test('guard instances, connections older than the variable, and those of before a file was read', async () => {
    const file = { file: { AMSDAL_EMAIL_REDIRECT_TO: TO } };
    vi.stubEnv('AMSDAL_EMAIL_REDIRECT_TO', undefined);
    const early = new CustomBackend();
    const made = getConnection(CustomBackend);
    const chosen = new CustomBackend();
    const restore = [setDefaultConnection(chosen)];
    await early.sendMessages([{ subject: 'Free', body: '', fromEmail: 'a@example.com', to: 'free@example.com' }]);
    restore.unshift(setEnvironment(file));
    await sendMail({ ...mail, connection: early });
    await early.sendMessages([{ subject: 'Hi', body: '', fromEmail: 'a@example.com', to: 'ann@customer.org' }]);
    for await (const _ of early.stream([{ subject: 'Hi', body: '', fromEmail: 'a@x.org', to: 'ann@customer.org' }]));
    await sendMail({ ...mail, connection: made });
    await sendMail(mail);
    expect([early.seen, made.seen, chosen.seen]).toEqual([['free@example.com', TO, TO, TO], [TO], [TO]]);
    for (const undo of restore) undo();

    vi.stubEnv('AMSDAL_EMAIL_REDIRECT_TO', 'staging');
    await expect(sendMail({ ...mail, connection: early })).rejects.toThrow(/AMSDAL_EMAIL_REDIRECT_TO.*is no address/);
    expect(() => early.sendMessagesSync([{ subject: '', body: '', fromEmail: 'a@x.org', to: 'b@x.org' }])).toThrow(
      /AMSDAL_EMAIL_REDIRECT_TO/,
    );
    expect(early.seen).toHaveLength(4);
  });

  test('a backend whose own methods send is refused while it is set', async () => {
    class Own extends CustomBackend {
      override stream(): AsyncIterableIterator<MessageResult> {
        return super.stream([]);
      }
    }
    const refused = expect.objectContaining({
      code: 'invalid-backend',
      message: expect.stringMatching(/^Own overrides/),
    });
    expect(() => new Own()).toThrow(refused);
    expect(() => getConnection(Own)).toThrow(refused);
    vi.stubEnv('AMSDAL_EMAIL_REDIRECT_TO', undefined);
    const early = new Own();
    expect((await sendMail({ ...mail, connection: early })).isSuccess).toBe(true);
    vi.stubEnv('AMSDAL_EMAIL_REDIRECT_TO', TO);
    expect(() => sendMailSync({ ...mail, connection: early })).toThrow(refused);
    const wrapped = new CustomBackend();
    wrapped.sendMessages = (messages) => CustomBackend.prototype.sendMessages.call(wrapped, messages);
    await expect(sendMail({ ...mail, connection: wrapped })).rejects.toThrow(/sendMessages/);
  });

  test('allow by variable, with spaces', async () => {
    vi.stubEnv('AMSDAL_EMAIL_ALLOW', '@example.com, qa@example.org');
    const connection = getConnection('dummy', { store: true });
    await sendMail({ ...mail, connection });
    expect(connection.messages[0]?.to).toEqual([TO, 'bob@example.com']);
  });

  test.each([
    ['AMSDAL_EMAIL_REDIRECT_TO', '', 'it is empty'],
    ['AMSDAL_EMAIL_REDIRECT_TO', '  ', 'it is empty'],
    ['AMSDAL_EMAIL_REDIRECT_TO', 'staging', "'staging' is no address"],
    ['AMSDAL_EMAIL_REDIRECT_TO', 'a@example.com, b@example.com', 'is no address'],
    ['AMSDAL_EMAIL_ALLOW', '', 'it is empty'],
    ['AMSDAL_EMAIL_ALLOW', 'example.com,,x', 'is no address or domain'],
    ['AMSDAL_EMAIL_ALLOW', '*', "'*' has a '*'"],
  ])('%s=%s is an error, and no way to send unguarded', (variable, value, text) => {
    vi.stubEnv(variable, value);
    for (const connect of [() => getConnection('dummy'), () => getConnection('smtp://h'), () => sendMailSync(mail)]) {
      expect(connect).toThrow(
        expect.objectContaining({
          code: 'invalid-option',
          message: expect.stringMatching(new RegExp(`^${variable}: .*; for example ${variable}=`)),
        }),
      );
      expect(connect).toThrow(text);
    }
  });

  test('a thousand mails over SMTP reach the redirect address only', async () => {
    const envelopes: string[] = [];
    const headers: string[] = [];
    await using server = await SmtpServer.start({
      onRcpt: (address) => {
        envelopes.push(address);
        return undefined;
      },
      onMessage: ({ bytes }) => {
        headers.push(Buffer.from(bytes).toString('latin1').split('\r\n\r\n', 1)[0] ?? '');
        return undefined;
      },
    });
    await using connection = getConnection(`smtp://${server.host}:${server.port}`);
    const drafts = Array.from({ length: 1_000 }, (_, index) => ({
      subject: `Mail ${index}`,
      body: 'b',
      fromEmail: 'shop@example.com',
      to: `to${index}@customer.org`,
      ...(index % 3 === 0 && { cc: [`cc${index}@customer.org`] }),
      ...(index % 2 === 0 && { bcc: [`bcc${index}@customer.org`] }),
      ...(index % 5 === 0 && { envelopeSender: 'bounces@example.com' }),
    }));
    const status = await connection.sendMessages(drafts);
    expect(status.isSuccess).toBe(true);
    expect(status.recipients.size).toBe(1_000 + 334 + 500);
    expect(envelopes).toHaveLength(1_000);
    expect(new Set(envelopes)).toEqual(new Set([TO]));
    const addressed = headers.flatMap((text) => text.match(/^(?:To|Cc|Bcc):.*(?:\r\n[ \t].*)*/gim) ?? []);
    expect(new Set(addressed)).toEqual(new Set([`To: ${TO}`]));
    expect(headers.join()).not.toMatch(/bcc\d+@customer/);
    expect(headers.filter((text) => /^X-Original-To: to4@customer\.org, 1 Bcc$/m.test(text))).toHaveLength(1);
  });

  test('blocking calls cross the guard before they cross to the worker', async () => {
    const envelopes: string[] = [];
    await using server = await SmtpServer.start({
      onRcpt: (address) => {
        envelopes.push(address);
        return undefined;
      },
    });
    const script = fileURLToPath(new URL('blocking-child.js', import.meta.url));
    vi.stubEnv('AMSDAL_EMAIL_URL', `smtp://${server.host}:${server.port}`);
    vi.stubEnv('AMSDAL_EMAIL_ALLOW', 'allowed.example');
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    expect(JSON.parse(stdout)).toEqual({
      'ann@customer.org': 'sent',
      'bob@allowed.example': 'sent',
      'eve@customer.org': 'sent',
    });
    expect(envelopes.toSorted()).toEqual(['bob@allowed.example', TO]);
  });

  test('sendEach is guarded mail by mail', async () => {
    const connection = getConnection('dummy', { store: true });
    await sendEach({ ...mail, connection });
    expect(connection.messages.map(({ to, headers }) => [...to, headers['X-Original-To']])).toEqual([
      [TO, 'ann@customer.org'],
      [TO, 'bob@example.com'],
    ]);
  });
});
