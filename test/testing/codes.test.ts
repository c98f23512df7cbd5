import { expect, test } from 'vitest';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { codes, links } from '../../src/testing/codes.ts';
import { createInbox } from '../../src/testing/inbox/inbox.ts';
import type { InboxMessage } from '../../src/testing/inbox/inbox-message.ts';

async function received(fields: Partial<EmailMessageInit>): Promise<InboxMessage> {
  const inbox = createInbox();
  await inbox.sendMessages([{ subject: 'Hello', fromEmail: 'a@x.org', to: 'b@x.org', ...fields }]);
  if (inbox.last === null) throw new Error('nothing arrived');
  return inbox.last;
}

test.each([
  ['Your code is 123456.', ['123456']],
  ['Your code: 123 456', ['123456']],
  ['123-456 is your verification code', ['123456']],
  ['Enter 4711 to sign in', ['4711']],
  ['Your PIN is 2024', ['2024']],
  ['Use ABCD-1234 within ten minutes.', ['ABCD-1234']],
  ['Your login code is X7K2Q9', ['X7K2Q9']],
  ['Order of 2026-11-22, 17:30, 1,234.50 EUR, $1234, 1234 €: the code is 998877', ['998877']],
  ['Call +49 30 123456. © 2026 Shop', []],
  ['https://example.com/verify/123456?code=654321', []],
  ['Invoice 555123. Your code is 777888.', ['777888', '555123']],
  ['The code 111222 again: 111222', ['111222']],
  ['Nothing to see', []],
])('codes of %j: %j', async (body, expected) => {
  expect(codes(await received({ body }))).toEqual(expected);
});

test('codes in the subject, and in an HTML body without text, digit by digit', async () => {
  expect(codes(await received({ subject: '482913 is your code', body: 'Welcome!' }))).toEqual(['482913']);
  const boxes = [...'482913'].map((digit) => `<td><b>${digit}</b></td>`).join('');
  const htmlBody = `<style>a{width:123456px}</style><p>Your code:</p><table><tr>${boxes}</tr></table>`;
  expect(codes(await received({ htmlBody }))).toEqual(['482913']);
});

test('links of HTML and text, each once, character references resolved', async () => {
  const message = await received({
    body: 'Confirm: https://example.com/confirm?a=1&b=2. Help: https://example.com/help',
    htmlBody: '<a href="https://example.com/confirm?a=1&amp;b=2">Confirm</a> <a href="#top">top</a>',
  });
  expect(links(message)).toEqual(['https://example.com/confirm?a=1&b=2', 'https://example.com/help']);
});
