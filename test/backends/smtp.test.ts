import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { ScriptedSmtpServer } from '../../src/testing/index.ts';

const mail = (...to: string[]) => ({ subject: 'Hello', body: 'Thanks.', fromEmail: 'shop@example.com', to });

describe('SmtpBackend', () => {
  let server: ScriptedSmtpServer;
  const backends: SmtpBackend[] = [];

  beforeAll(async () => {
    server = await ScriptedSmtpServer.start();
    return () => server.close();
  });

  afterEach(async () => {
    await Promise.all(backends.splice(0).map((backend) => backend.close()));
    server.reset();
  });

  const connect = (options: object = {}): SmtpBackend => {
    const backend = new SmtpBackend({ host: server.host, port: server.port, ...options });
    backends.push(backend);
    return backend;
  };

  it('sends a mail and tells what the server said of it', async () => {
    const status = await connect().sendMessages([mail('user@example.com')]);
    expect(status.isSuccess).toBe(true);
    expect(status.recipients.get('user@example.com')).toMatchObject({
      status: 'sent',
      code: 250,
      enhancedCode: '2.0.0',
    });
    expect(server.messages).toHaveLength(1);
  });

  it('tells accepted, refused and deferred recipients apart', async () => {
    server.on('RCPT', ({ argument }) => {
      if (argument.includes('gone@')) return '550 5.1.1 No such user';
      if (argument.includes('spam@')) return '550 5.7.1 Not you';
      return argument.includes('full@') ? '450 4.2.2 Mailbox full' : undefined;
    });
    const to = ['good@example.com', 'gone@example.com', 'spam@example.com', 'full@example.com'];
    const status = await connect().sendMessages([mail(...to)]);
    expect(to.map((address) => status.recipients.get(address)?.status)).toEqual([
      'sent',
      'invalid',
      'rejected',
      'failed',
    ]);
    expect(to.map((address) => status.recipients.get(address)?.retryable)).toEqual([false, false, false, true]);
    expect(server.messages).toHaveLength(1);
  });

  it('sends many over few connections, each once', async () => {
    const backend = connect();
    const status = await backend.sendMessages(Array.from({ length: 500 }, (_, index) => mail(`u${index}@example.com`)));
    expect(status.isSuccess).toBe(true);
    expect(new Set(server.messages.map(({ envelope }) => envelope.rcptTo[0])).size).toBe(500);
    expect(server.messages).toHaveLength(500);
    expect(server.connections.length).toBeLessThanOrEqual(5);
  });
});
