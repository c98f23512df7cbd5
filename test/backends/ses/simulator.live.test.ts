import { expect, test } from 'vitest';
import { getConnection } from '../../../src/connection/connection.ts';

// Off unless AMSDAL_TEST_SES=1: it needs credentials of an account, and a sender that is verified, in AMSDAL_TEST_SES_FROM.
const fromEmail = process.env['AMSDAL_TEST_SES_FROM'] ?? '';
const simulator = (name: string) => `${name}@simulator.amazonses.com`;

test('verify tells the quota of the account', async () => {
  await using connection = getConnection('ses');
  expect((await connection.verify()).details['maxSendRate']).toBeGreaterThan(0);
});

test('SES itself takes a raw mail with every kind of tag, and a merge with an inline template', async () => {
  await using connection = getConnection('ses');
  const status = await connection.sendMessages([
    {
      subject: 'Grüße',
      body: 'Live test.',
      fromEmail,
      to: simulator('success'),
      bcc: simulator('bounce'),
      tags: ['live test', 'b64-', 'plain'],
      metadata: { 'order:id': '12/34', empty: '' },
    },
    {
      subject: 'Dear {{name}}',
      body: 'Hello {{name}}.',
      fromEmail,
      to: [simulator('success'), simulator('complaint')],
      mergeData: { [simulator('success')]: { name: 'Jane' }, [simulator('complaint')]: { name: 'Bob' } },
      tags: ['live test'],
    },
  ]);
  expect(status.isSuccess).toBe(true);
});
