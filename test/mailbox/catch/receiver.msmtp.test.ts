import { expect, test } from 'vitest';
import { catchFrom } from '../clients.ts';

test.each([
  ['plainly', [], { tls: false }],
  [
    'with STARTTLS and a password',
    ['--tls=on', '--tls-certcheck=off', '--auth=plain', '--user=anna', '--passwordeval=echo any'],
    { tls: true, user: 'anna' },
  ],
])('msmtp delivers %s', async (_, args, facts) => {
  const mail = await catchFrom(
    '/usr/bin/msmtp',
    ['--file=/dev/null', '--host=127.0.0.1', '--port=PORT', '--from=a@example.com', '--read-recipients', ...args],
    'Subject: By msmtp\nTo: b@example.com\nBcc: c@example.com\n\nHello\n',
  );
  expect(mail).toMatchObject({
    subject: 'By msmtp',
    envelope: { to: ['b@example.com', 'c@example.com'] },
    bcc: ['c@example.com'],
    facts,
  });
});
