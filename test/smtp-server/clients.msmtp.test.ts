import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AuthMechanism } from '../../src/smtp-server/auth.ts';
import { run } from '../servers/process.ts';
import { certificates, SECRET, startReceiver } from './receiver.ts';

const MAIL = 'Subject: x\n\n.\n..\nlast\n';

async function msmtp(port: number, method: string, secret: string, implicitTls = false): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'msmtp-'));
  await writeFile(join(folder, 'ca.pem'), certificates().ca);
  await writeFile(join(folder, 'secret'), secret, { mode: 0o600 });
  const settings = [
    ...['account default', 'host localhost', `port ${port}`, 'from a@example.com', 'user jane', `auth ${method}`],
    ...['tls on', `tls_starttls ${implicitTls ? 'off' : 'on'}`, `tls_trust_file ${join(folder, 'ca.pem')}`],
    ...[`passwordeval cat ${join(folder, 'secret')}`, ''],
  ];
  const file = join(folder, 'msmtprc');
  await writeFile(file, settings.join('\n'), { mode: 0o600 });
  try {
    return await run('msmtp', ['-C', file, 'b@example.com', 'c@example.com'], MAIL);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('msmtp delivers to the receiver', () => {
  test.each<AuthMechanism>(['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'XOAUTH2', 'OAUTHBEARER'])(
    'over STARTTLS with %s, and is told of a wrong secret',
    async (mechanism) => {
      await using receiver = await startReceiver([mechanism]);
      await msmtp(receiver.port, mechanism.toLowerCase(), SECRET);
      expect(receiver.attempts.map((attempt) => attempt.mechanism)).toEqual([mechanism]);
      expect(receiver.mails[0]?.envelope).toMatchObject({
        mailFrom: 'a@example.com',
        rcptTo: ['b@example.com', 'c@example.com'],
      });
      expect(Buffer.from(receiver.mails[0]?.bytes ?? []).toString()).toMatch(/\r\n\r\n\.\r\n\.\.\r\nlast\r\n$/);
      await expect(msmtp(receiver.port, mechanism.toLowerCase(), 'wrong')).rejects.toThrow(/535|authentication failed/);
      expect(receiver.mails).toHaveLength(1);
    },
    60_000,
  );

  test('over implicit TLS', async () => {
    await using receiver = await startReceiver(['PLAIN'], { implicitTls: true });
    await msmtp(receiver.port, 'plain', SECRET, true);
    expect(receiver.mails).toHaveLength(1);
  });
});
