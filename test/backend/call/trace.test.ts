import { tracingChannel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SendTrace } from '../../../src/backend/call/trace-send.ts';
import { DummyBackend } from '../../../src/backends/dummy.ts';
import { SmtpBackend } from '../../../src/backends/smtp.ts';
import { sendMail, sendMailSync } from '../../../src/connection/send.ts';
import { EmailConnectionError } from '../../../src/model/errors.ts';
import type { SmtpTrace } from '../../../src/smtp/trace-smtp.ts';
import { SmtpServer } from '../../../src/smtp-server/server.ts';
import { ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';

const mail = {
  subject: 'SECRET subject',
  message: 'SECRET text',
  fromEmail: 'shop@example.com',
  recipientList: ['ann@example.org', 'bob@example.org'],
};
const draft = { subject: 'SECRET', body: 'SECRET', fromEmail: 'shop@example.com', to: 'ann@example.org' };

describe.each(['amsdal-mail:send', 'amsdal-mail:smtp'])('%s', (name) => {
  const channel = tracingChannel<unknown, SendTrace | SmtpTrace>(name);
  const seen: string[] = [];
  const contexts = new Set<SendTrace | SmtpTrace>();
  const note = (event: string) => (context: SendTrace | SmtpTrace) => {
    seen.push('operation' in context ? `${context.operation} ${event}` : event);
    contexts.add(context);
  };
  const subscribers = {
    start: note('start'),
    end: note('end'),
    asyncStart: note('asyncStart'),
    asyncEnd: note('asyncEnd'),
    error: note('error'),
  };
  beforeEach(() => channel.subscribe(subscribers));
  afterEach(() => {
    channel.unsubscribe(subscribers);
    seen.length = 0;
    contexts.clear();
  });
  const told = () => [...contexts];

  if (name === 'amsdal-mail:send') {
    const all = { backend: 'dummy', blocking: false, error: null };

    test('a call: counts, and no word of the mail', async () => {
      const connection = new DummyBackend();
      connection.refuse('bob@example.org');
      await sendMail({ ...mail, connection });
      expect(seen).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
      expect(told()).toEqual([{ ...all, messages: 1, recipients: { sent: 1, invalid: 1 } }]);
      expect(JSON.stringify(told())).not.toMatch(/SECRET|@/);
    });

    test('a call that fails: class, code and phase, and the counts all the same', async () => {
      const connection = new DummyBackend();
      connection.failNext(new EmailConnectionError('auth', 'SECRET ann@example.org', { phase: 'auth' }));
      await expect(sendMail({ ...mail, connection })).rejects.toMatchObject({ code: 'auth' });
      expect(seen).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
      const error = { name: 'EmailConnectionError', code: 'auth', phase: 'auth', reply: null };
      expect(told()).toEqual([{ ...all, messages: 1, recipients: { failed: 2 }, error }]);
    });

    test('a blocking call, also one that fails', () => {
      const connection = new DummyBackend();
      sendMailSync({ ...mail, connection });
      connection.failNext(new EmailConnectionError('auth', 'SECRET'));
      expect(() => sendMailSync({ ...mail, connection })).toThrow(EmailConnectionError);
      expect(told()).toMatchObject([
        { blocking: true, recipients: { sent: 2 }, error: null },
        { blocking: true, recipients: { failed: 2 }, error: { code: 'auth' } },
      ]);
    });

    test('a stream: from its first result to its end, or to where it is left', async () => {
      const connection = new DummyBackend();
      const drafts = Array.from({ length: 3 }, () => draft);
      for await (const _ of connection.stream(drafts));
      for await (const _ of connection.stream(drafts)) break;
      connection.stream(drafts);
      const broken = function* () {
        yield draft;
        throw new Error('SECRET');
      };
      const reading = async () => {
        for await (const _ of connection.stream(broken()));
      };
      await expect(reading()).rejects.toMatchObject({ code: 'source' });
      expect(told()).toMatchObject([
        { messages: 3, recipients: { sent: 3 }, error: null },
        { messages: 1, recipients: { sent: 1 }, error: null },
        { messages: 1, recipients: { sent: 1 }, error: { name: 'SendError', code: 'source' } },
      ]);
      expect(seen.filter((event) => event === 'start')).toHaveLength(3);
      expect(connection.stats().pending).toBe(0);
    });

    test('a stream that is left while its source is silent, or before it has begun', async () => {
      const connection = new DummyBackend();
      const silent: AsyncIterable<typeof draft> = {
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
      };
      const stream = connection.stream(silent);
      const asked = stream.next();
      await stream.return?.();
      expect(await asked).toMatchObject({ done: true });
      expect(told()).toEqual([{ ...all, messages: 0, recipients: {} }]);
      const unbegun = connection.stream([draft]);
      await unbegun.return?.();
      expect(await unbegun.next()).toMatchObject({ done: true });
      expect(seen.filter((event) => event === 'start')).toHaveLength(1);
    });
  } else {
    test('a session and its messages', async () => {
      await using server = await SmtpServer.start({
        onRcpt: (address) => (address.startsWith('bob') ? '550 5.1.1 SECRET' : undefined),
      });
      await using connection = new SmtpBackend({ host: server.host, port: server.port });
      await sendMail({ ...mail, connection });
      await sendMail({ ...mail, recipientList: ['bob@example.org'], connection, failSilently: true });
      const all = { host: server.host, port: server.port, tls: null, error: null };
      expect(told()).toEqual([
        { ...all, operation: 'deliver', recipients: 2, accepted: 1 },
        { ...all, operation: 'connect', recipients: null, accepted: null },
        {
          ...all,
          operation: 'deliver',
          recipients: 1,
          accepted: 0,
          error: { name: 'SendError', code: 'invalid-recipient', phase: 'rcpt', reply: 550 },
        },
      ]);
      expect(JSON.stringify(told())).not.toMatch(/SECRET|@/);
    });

    test('a message whose connection breaks before all its recipients were named', async () => {
      await using server = await ScriptedSmtpServer.start();
      server.on('EHLO', '250 localhost\nPIPELINING\nLIMITS RCPTMAX=1').on('message', { end: 'rst' });
      await using connection = new SmtpBackend({ host: server.host, port: server.port });
      await sendMail({ ...mail, connection, failSilently: true });
      expect(told()[0]).toMatchObject({
        operation: 'deliver',
        recipients: 2,
        accepted: 0,
        error: { code: 'uncertain' },
      });
    });
  }
});
