import { describe, expect, test } from 'vitest';
import { MessageError } from '../src/errors.ts';
import { EmailMessage } from '../src/message.ts';
import { composeMessage } from '../src/mime/compose.ts';
import { CORPUS, FIXED } from './mime/corpus.ts';
import { type ReadMail, readWithMailparser } from './mime/read-mail.ts';

const eml = (...lines: string[]) => lines.join('\r\n');

describe('EmailMessage.fromEml', () => {
  test('reads a mail from the wild', async () => {
    const message = await EmailMessage.fromEml(
      eml(
        'Return-Path: <bounce@example.com>',
        'Received: from mx by mx; Mon, 1 Jan 2024 00:00:00 +0100',
        'DKIM-Signature: v=1; a=rsa-sha256; b=x',
        'From: =?iso-8859-1?Q?J=F6rg?= <joerg@example.com>',
        'To: Team: a@example.org, "B, C" <b@example.org>;',
        'Cc: undisclosed-recipients:;',
        'Subject: =?utf-8?B?R3LDvMOfZQ==?=',
        'Date: Mon, 1 Jan 2024 00:00:00 +0100',
        'Message-ID: <1@example.com>',
        'References: <a@example.com> <b@example.com>',
        'X-Note: =?utf-8?q?caf=C3=A9?=',
        'X-Note: again',
        'Content-Type: text/plain; charset=iso-8859-1',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'Gr=FC=DFe',
        '',
      ),
    );
    expect(message).toMatchObject({
      fromEmail: 'Jörg <joerg@example.com>',
      to: ['Team: a@example.org, "B, C" <b@example.org>;'],
      cc: [],
      subject: 'Grüße',
      body: 'Grüße\n',
      date: new Date('2023-12-31T23:00:00Z'),
      messageId: '1@example.com',
      references: ['a@example.com', 'b@example.com'],
      headers: { 'X-Note': 'café' },
    });
  });

  test('what cannot be sent is a MessageError', async () => {
    await expect(EmailMessage.fromEml('Subject: x\r\n\r\nx')).rejects.toThrow(MessageError);
    await expect(EmailMessage.fromEml(new Uint8Array())).rejects.toThrow(MessageError);
  });

  const resendable = CORPUS.filter(([name]) => !/group-empty|only-bcc|literal|quoted-local/.test(name));
  test.each(resendable)('%s says the same when it is sent again', async (_, init) => {
    const mail = composeMessage(new EmailMessage(init), FIXED);
    const again = composeMessage(await EmailMessage.fromEml(mail), FIXED);
    expect(evened(await readWithMailparser(again))).toEqual(evened(await readWithMailparser(mail)));
  });
});

/** postal-mime ends every text with a line feed, and gives calendars and forwarded mails with line feeds. */
function evened(read: ReadMail): ReadMail {
  const isText = (name: string | null) => name === null || /\.(?:ics|eml)$/.test(name);
  return {
    ...read,
    text: read.text?.trimEnd() ?? '',
    html: read.html?.trimEnd() ?? '',
    attachments: read.attachments.map((file) => {
      const text = Buffer.from(file.content, 'base64').toString('latin1');
      return isText(file.filename) ? { ...file, content: text.replaceAll('\r\n', '\n').trimEnd() } : file;
    }),
  };
}
