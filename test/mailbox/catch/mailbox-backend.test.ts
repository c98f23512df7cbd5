import { describe, expect, test, vi } from 'vitest';
import type { EmailBackend } from '../../../src/backend/backend.ts';
import { getConnection } from '../../../src/connection/connection.ts';
import { MailboxBackend } from '../../../src/mailbox/catch/mailbox-backend.ts';
import { startMailbox } from '../../../src/mailbox/mailbox.ts';
import { Attachment } from '../../../src/model/attachment.ts';
import { ConfigurationError, EmailConnectionError, MessageError } from '../../../src/model/errors.ts';

const message = { subject: 'Hi', body: 'x', fromEmail: 'a@example.com', to: ['b@example.com'] };

/** A port that nobody listens on: the mailbox of a test has just left it. */
async function freePort(): Promise<number> {
  const mailbox = await startMailbox({ port: 0, smtpPort: null });
  const port = Number(new URL(mailbox.url).port);
  await mailbox.close();
  return port;
}

/** A connection whose mailbox is served by this thread. */
async function openOwn(): Promise<EmailBackend & { readonly port: number }> {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const port = await freePort();
  const connection = await getConnection(MailboxBackend, { port, smtpPort: 0 }).open();
  said.mockRestore();
  return Object.assign(connection, { port });
}

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
const list = async (port: number): Promise<any[]> =>
  (await (await fetch(`http://127.0.0.1:${port}/api/messages`)).json()).messages;

describe('the backend', () => {
  test('serves the page from the app itself, and catches everything there is to a message', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const port = await freePort();
    const connection = getConnection(MailboxBackend, { port, smtpPort: 0 });
    const status = await connection.sendMessages([
      {
        ...message,
        tags: ['welcome'],
        metadata: { user: '7' },
        templateId: 'tpl-1',
        mergeGlobalData: { shop: 'Northwind' },
        trackOpens: true,
        sendAt: new Date('2026-12-24T18:00:00Z'),
        idempotencyKey: 'order-17',
        espExtra: { resend: { topic_id: 't' } },
        bcc: ['hidden@example.com'],
        attachments: [{ filename: 'a.txt', content: new Blob(['blob']) }],
      },
    ]);
    expect(status.isSuccess).toBe(true);
    const [mail] = await list(port);
    expect(status.recipients.get('b@example.com')?.response).toBe(`caught: http://127.0.0.1:${port}/#${mail.id}`);
    expect(mail).toMatchObject({
      subject: 'Hi',
      via: 'backend',
      tags: ['welcome'],
      metadata: { user: '7' },
      bcc: ['hidden@example.com'],
      facts: {
        templateId: 'tpl-1',
        mergeGlobalData: { shop: 'Northwind' },
        trackOpens: true,
        sendAt: '2026-12-24T18:00:00.000Z',
        idempotencyKey: 'order-17',
        espExtra: { resend: { topic_id: 't' } },
      },
    });
    expect(said).toHaveBeenCalledWith(`amsdal-mail: mails are caught, see them at http://127.0.0.1:${port}\n`);

    const blocking = connection.sendMessagesSync([{ ...message, subject: 'blocking' }]);
    expect(blocking.isSuccess).toBe(true);
    expect((await list(port)).map(({ subject }) => subject)).toEqual(['blocking', 'Hi']);
    said.mockRestore();
  });

  test('one bad mail of a blocking call does not keep the others from their status, and files are read', async () => {
    const connection = await openOwn();
    const unread = [{ filename: 'a.txt', content: new Blob(['x']) }];
    const file = [Attachment.fromFile(import.meta.filename)];
    const status = connection.sendMessagesSync(
      [
        { ...message, subject: 'good' },
        { ...message, subject: 'bad', attachments: unread },
        { ...message, subject: 'with a file', attachments: file },
      ],
      { failSilently: true },
    );
    expect(status.results.map(({ error }) => error)).toEqual([null, expect.any(MessageError), null]);
    const mails = await list(connection.port);
    expect(mails.map(({ subject, attachments }) => [subject, attachments])).toEqual([
      ['with a file', 1],
      ['good', 0],
    ]);
  });

  test('chaos keeps a blocking call waiting, too', async () => {
    const connection = await openOwn();
    await fetch(`http://127.0.0.1:${connection.port}/api/chaos`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"delay":100,"delayMs":300}',
    });
    const started = performance.now();
    expect(connection.sendMessagesSync([message]).isSuccess).toBe(true);
    expect(performance.now() - started).toBeGreaterThan(290);
  });

  test('finds the mailbox that runs already', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const running = await startMailbox({ port: 0, smtpPort: null });
    const port = Number(new URL(running.url).port);
    const connection = getConnection(MailboxBackend, { port });
    await connection.sendMessages([{ ...message, tags: ['t'] }]);
    expect(await list(port)).toMatchObject([{ subject: 'Hi', via: 'api', tags: ['t'] }]);
    await connection.close();

    const chaos = { method: 'PUT', headers: { 'content-type': 'application/json' } };
    await fetch(`${running.url}/api/chaos`, { ...chaos, body: '{"refuse":100,"refuseCode":450}' });
    const refused = await connection.sendMessages([message], { failSilently: true });
    expect(refused.recipients.get('b@example.com')).toMatchObject({ status: 'failed', code: 450, retryable: true });
    await fetch(`${running.url}/api/chaos`, { ...chaos, body: '{"refuse":0,"drop":100}' });
    await expect(connection.sendMessages([message])).rejects.toThrow(EmailConnectionError);
    await running.close();
    said.mockRestore();
  });

  test('finds one that listens on every address', async () => {
    await using running = await startMailbox({ host: '0.0.0.0', port: 0, smtpPort: null });
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const connection = getConnection(MailboxBackend, { host: '0.0.0.0', port: Number(new URL(running.url).port) });
    const status = await connection.sendMessages([message]);
    said.mockRestore();
    expect(status.recipients.get('b@example.com')?.response).toMatch(`caught: ${running.url}/#`);
  });

  test('starts its own when the one that it found has gone', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const running = await startMailbox({ port: 0, smtpPort: null });
    const port = Number(new URL(running.url).port);
    const connection = getConnection(MailboxBackend, { port, smtpPort: 0 });
    await connection.sendMessages([message]);
    await running.close();
    await expect(connection.sendMessages([message])).rejects.toMatchObject({
      name: 'EmailConnectionError',
      code: 'refused',
      outcome: 'not-sent',
      retryable: true,
    });
    expect((await connection.sendMessages([{ ...message, subject: 'again' }])).isSuccess).toBe(true);
    expect(await list(port)).toMatchObject([{ subject: 'again', via: 'backend' }]);
    said.mockRestore();
  });

  test('refuses production and wrong options when it is made', () => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(() => new MailboxBackend()).toThrow(ConfigurationError);
    vi.unstubAllEnvs();
    expect(() => getConnection(MailboxBackend, { port: 99_999 })).toThrow(/port/);
  });
});
