import { describe, expect, test } from 'vitest';
import { EmailMessage } from '../../src/message.ts';
import type { EmailMessageInit } from '../../src/message-init.ts';
import { composeMessage } from '../../src/mime/compose.ts';

const FIXED = { date: new Date(0), messageId: 'id@example.com', boundary: 'b' };

function compose(init: Partial<EmailMessageInit>): string {
  const message = new EmailMessage({
    subject: 'Hi',
    body: 'Hello',
    fromEmail: 'a@example.com',
    to: 'b@example.org',
    ...init,
  });
  return Buffer.from(composeMessage(message, FIXED)).toString('utf8');
}

describe('composeMessage', () => {
  test('a plain mail is one part', () => {
    expect(compose({})).toBe(
      [
        'From: a@example.com',
        'To: b@example.org',
        'Subject: Hi',
        'Date: Thu, 01 Jan 1970 00:00:00 +0000',
        'Message-ID: <id@example.com>',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Hello',
        '',
      ].join('\r\n'),
    );
  });
});
