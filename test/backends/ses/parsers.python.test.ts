import { afterAll, beforeAll, expect, test } from 'vitest';
import { readWithMailparser, readWithPostalMime, readWithPython } from '../../mime/read-mail.ts';
import { StrictSes } from '../../servers/strict-ses.ts';
import { closeAll, connectTo, mail } from './connect.ts';

let ses: StrictSes;
beforeAll(async () => {
  ses = await StrictSes.start();
});
afterAll(async () => {
  await closeAll();
  await ses.close();
});

test('three parsers read the mail that SES gets as it was meant', async () => {
  await connectTo(ses).sendMessages([
    mail({
      subject: 'Grüße aus München',
      body: 'Schöne Grüße',
      htmlBody: '<p>Schöne Grüße</p><img src="cid:logo">',
      to: ['Jané Dœ <jane@münchen.example>', 'bob@example.org'],
      cc: '"Doe, Carl" <carl@example.org>',
      bcc: 'Dora <dora@example.org>',
      replyTo: 'Help <help@example.com>',
      attachments: [{ filename: 'naïve.png', content: new Uint8Array([1, 2, 3]), contentId: 'logo' }],
    }),
  ]);
  const raw = ses.accepted[0]?.raw ?? Buffer.alloc(0);
  const [python] = readWithPython([raw]);
  for (const read of [python, await readWithMailparser(raw), await readWithPostalMime(raw)]) {
    expect(read).toMatchObject({
      subject: 'Grüße aus München',
      from: [{ name: 'Shop', address: 'shop@example.com' }],
      cc: [{ name: 'Doe, Carl', address: 'carl@example.org' }],
      replyTo: [{ name: 'Help', address: 'help@example.com' }],
      attachments: [{ filename: 'naïve.png', content: 'AQID' }],
    });
    expect(read?.to.map(({ name }) => name)).toEqual(['Jané Dœ', '']);
    expect(read?.text?.trim()).toBe('Schöne Grüße');
  }
  expect(raw.toString()).not.toMatch(/dora|^bcc:/im);
});
