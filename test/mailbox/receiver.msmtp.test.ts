import { expect, test } from 'vitest';
import { catchFrom } from './clients.ts';

test('msmtp delivers', async () => {
  const mail = await catchFrom(
    '/usr/bin/msmtp',
    ['--file=/dev/null', '--host=127.0.0.1', '--port=PORT', '--from=a@example.com', '--read-recipients'],
    'Subject: By msmtp\nTo: b@example.com\nBcc: c@example.com\n\nHello\n',
  );
  expect(mail).toMatchObject({
    subject: 'By msmtp',
    envelope: { to: ['b@example.com', 'c@example.com'] },
    bcc: ['c@example.com'],
  });
});
