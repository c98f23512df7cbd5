import { expect, test } from 'vitest';
import { catchFrom } from '../clients.ts';

test.each([
  ['plainly', [], { tls: false }],
  ['with CRAM-MD5', ['--auth', 'CRAM-MD5', '-au', 'anna', '-ap', 'any'], { tls: false, user: 'anna' }],
])('swaks delivers %s', async (_, args, facts) => {
  const mail = await catchFrom('/usr/bin/swaks', [
    ...['--server', '127.0.0.1', '--port', 'PORT', '--from', 'a@example.com', '--to', 'b@example.com'],
    ...['--header', 'Subject: By swaks', ...args],
  ]);
  expect(mail).toMatchObject({
    subject: 'By swaks',
    envelope: { from: 'a@example.com', to: ['b@example.com'] },
    facts,
  });
});
