import { afterEach, describe, expect, test } from 'vitest';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { failover } from '../../src/connection/wrappers.ts';
import type { SmtpServerOptions } from '../../src/smtp-server/options.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';

const MAIL = { subject: 'Hi', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' };
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean();
});

async function start(options: SmtpServerOptions = {}): Promise<SmtpServer & { readonly taken: number[] }> {
  const taken: number[] = [];
  const server = Object.assign(await SmtpServer.start({ ...options, onMessage: () => void taken.push(1) }), { taken });
  cleanUps.push(() => server.close());
  return server;
}

function connect({ port }: SmtpServer, options: object = {}): SmtpBackend {
  return new SmtpBackend({ host: '127.0.0.1', port, security: 'none', ...options });
}

describe('over SMTP', () => {
  test('a server that never greets is given up at its own deadline, and the next one sends', async () => {
    const silent = await start({ onConnect: () => new Promise(() => {}) });
    const server = await start();
    const connection = failover([connect(silent, { deadlineMs: 50 }), connect(server)]);
    cleanUps.push(() => connection.close());
    const status = await connection.sendMessages([MAIL, MAIL]);
    expect(status.results.map(({ recipients }) => recipients.get('ann@example.org')?.via)).toEqual([
      'smtp-2',
      'smtp-2',
    ]);
    expect(status.recipients.get('ann@example.org')?.tries).toMatchObject([{ via: 'smtp', code: 'timeout' }, {}]);
    expect(server.taken).toHaveLength(2);
  });

  test('a server that is gone, and a thousand mails in one call', async () => {
    const gone = await start();
    const first = connect(gone);
    await gone.close();
    const server = await start();
    const connection = failover([first, connect(server)]);
    cleanUps.push(() => connection.close());
    const mails = Array.from({ length: 1_000 }, (_, i) => ({ ...MAIL, subject: `${i}` }));
    const status = await connection.sendMessages(mails);
    expect(status.isSuccess).toBe(true);
    expect(server.taken).toHaveLength(1_000);
  });
});
