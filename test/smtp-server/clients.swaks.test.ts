import { expect, test } from 'vitest';
import { run } from '../servers/process.ts';
import { SECRET, startReceiver } from './receiver.ts';

test.each(['PLAIN', 'LOGIN', 'CRAM-MD5'] as const)(
  'swaks delivers to the receiver with %s',
  async (mechanism) => {
    await using receiver = await startReceiver([mechanism], { allowInsecureAuth: true });
    const address = [
      '--server',
      `127.0.0.1:${receiver.port}`,
      '--helo',
      'client',
      '--from',
      'a@example.com',
      '--to',
      'b@example.com',
    ];
    const login = (password: string): string[] => [
      '--auth',
      mechanism,
      '--auth-user',
      'jane',
      '--auth-password',
      password,
    ];
    await expect(run('swaks', [...address, ...login('wrong')])).rejects.toThrow('535');
    await run('swaks', [...address, ...login(SECRET), '--body', '.\nx']);
    expect(receiver.attempts.map((attempt) => [attempt.mechanism, attempt.username])).toEqual(
      Array(receiver.attempts.length).fill([mechanism, 'jane']),
    );
    expect(Buffer.from(receiver.mails[0]?.bytes ?? []).toString()).toMatch(/\r\n\r\n\.\r\nx\r\n/);
  },
  60_000,
);
