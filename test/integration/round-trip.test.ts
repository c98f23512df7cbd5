import { expect, test } from 'vitest';
import { getConnection } from '../../src/index.ts';
import type { Extension } from '../../src/testing/index.ts';
import { ScriptedSmtpServer } from '../../src/testing/index.ts';
import { fc } from '../properties.ts';
import { parseWithPostalMime } from './parsers.ts';

/** Text with everything that line ends, dots and encodings can trip over. */
const text = fc
  .array(
    fc.constantFrom(
      '\n',
      '\r\n',
      '\r',
      '.',
      '..',
      'a',
      ' ',
      '\t',
      '=',
      '=20',
      'é',
      '世',
      '🌍',
      'From ',
      '-',
      'x'.repeat(80),
      '=?UTF-8?Q?x?=',
    ),
    {
      maxLength: 40,
    },
  )
  .map((parts) => `${parts.join('')}end`);
const bytes = fc.uint8Array({ maxLength: 3000 });

const normalise = (value: string): string => value.replace(/\r\n?|\n/g, '\n');

test.each<readonly [way: string, extensions: readonly Extension[]]>([
  ['BDAT', ['PIPELINING', 'CHUNKING', '8BITMIME', 'SIZE']],
  ['DATA', ['PIPELINING']],
  ['DATA without PIPELINING', []],
])('any text, subject and attachment arrives through %s as it was given', async (_way, extensions) => {
  await using server = await ScriptedSmtpServer.start({ extensions });
  await using connection = getConnection('smtp', { host: server.host, port: server.port });
  await fc.assert(
    fc.asyncProperty(text, text, bytes, async (body, subjectText, content) => {
      const subject = subjectText.replace(/[\r\n\t]+/g, ' ').trim();
      const before = server.messages.length;
      const attachments = [{ filename: 'x.bin', content }];
      const status = await connection.sendMessages([
        { subject, body, fromEmail: 'a@example.com', to: 'b@example.com', attachments },
        { subject, htmlBody: body, fromEmail: 'a@example.com', to: 'c@example.com' },
      ]);
      expect(status.isSuccess).toBe(true);
      const mails = server.messages.slice(before);
      expect(mails.map(({ envelope }) => envelope.rcptTo.join()).sort()).toEqual(['b@example.com', 'c@example.com']);
      const [first, second] = await Promise.all(
        ['b@example.com', 'c@example.com'].map((address) =>
          parseWithPostalMime(Buffer.from(mails.find(({ envelope }) => envelope.rcptTo[0] === address)?.bytes ?? [])),
        ),
      );
      expect([first?.subject, second?.subject]).toEqual([subject, subject]);
      expect(normalise(first?.text ?? '').trimEnd()).toBe(normalise(body));
      expect(normalise(second?.html ?? '').trimEnd()).toBe(normalise(body));
      expect(first?.attachments[0]?.content).toBe(Buffer.from(content).toString('base64'));
    }),
    { numRuns: 100 },
  );
});
