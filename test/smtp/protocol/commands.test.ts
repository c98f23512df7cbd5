import { describe, expect, it } from 'vitest';
import {
  auth,
  authResponse,
  bdat,
  hello,
  mail,
  originalRecipient,
  parameter,
  rcpt,
  xtext,
} from '../../../src/smtp/protocol/commands.ts';
import { fc } from '../../properties.ts';

/** The line a command makes, or null when it is refused. */
function attempt(make: () => string): string | null {
  try {
    return make();
  } catch {
    return null;
  }
}

describe('commands', () => {
  it.each([
    [hello('EHLO', 'client.example.com'), 'EHLO client.example.com\r\n'],
    [hello('LHLO', '[IPv6:::1]'), 'LHLO [IPv6:::1]\r\n'],
    [mail('', ''), 'MAIL FROM:<>\r\n'],
    [mail('a@example.com', ' SIZE=12 BODY=8BITMIME'), 'MAIL FROM:<a@example.com> SIZE=12 BODY=8BITMIME\r\n'],
    [rcpt('"a b"@example.com', ''), 'RCPT TO:<"a b"@example.com>\r\n'],
    [rcpt('"a@b> ORCPT=x"@example.com', ''), 'RCPT TO:<"a@b> ORCPT=x"@example.com>\r\n'],
    [rcpt('a@[192.0.2.1]', ''), 'RCPT TO:<a@[192.0.2.1]>\r\n'],
    [rcpt('ü@example.com', ''), 'RCPT TO:<ü@example.com>\r\n'],
    [auth('PLAIN', ''), 'AUTH PLAIN =\r\n'],
    [auth('LOGIN'), 'AUTH LOGIN\r\n'],
    [authResponse(''), '\r\n'],
    [bdat(86, true), 'BDAT 86 LAST\r\n'],
    [bdat(1000, false), 'BDAT 1000\r\n'],
    [parameter('ENVID', xtext('a+b=c d')), ' ENVID=a+2Bb+3Dc+20d'],
    [originalRecipient('rfc822;a+b@example.com'), 'rfc822;a+2Bb@example.com'],
    [originalRecipient('a@example.com'), 'rfc822;a@example.com'],
    [originalRecipient('rfc822;ü@example.com'), 'utf-8;\\x{FC}@example.com'],
  ])('%#: writes %j', (line, expected) => {
    expect(line).toBe(expected);
  });

  it.each([
    'a@example.com>',
    'a@example.com> SIZE=1',
    '<a@example.com',
    'a b@example.com',
    'a@example.com\r\nRCPT TO:<b@example.com',
    'a@example.com\n',
    'a\0@example.com',
    '"a"b"@example.com',
    'a@exam ple.com',
    '\u560d\u560a@example.com\ud800',
  ])('refuses the address %j instead of cleaning it', (address) => {
    expect(() => rcpt(address, '')).toThrow(expect.objectContaining({ name: 'MessageError', code: 'invalid-message' }));
    expect(() => mail(address, '')).toThrow(expect.objectContaining({ name: 'MessageError' }));
  });

  it('never writes more than one line, nor a control character, whatever it is given', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a\r\nb', 'a\nb', 'a\0b', '\u560d\u560a', '\u2028', 'a@b>\r\nDATA', '"\r\n"@b'),
    );
    fc.assert(
      fc.property(text, (value) => {
        const lines = [
          () => hello('EHLO', value),
          () => mail(value, ''),
          () => rcpt(value, ''),
          () => auth('PLAIN', value),
          () => auth(value),
          () => authResponse(value),
          () => rcpt('a@example.com', parameter('ORCPT', originalRecipient(value))),
          () => mail('a@example.com', parameter('ENVID', xtext(value))),
          () => mail('a@example.com', parameter('RET', value)),
        ].map(attempt);
        for (const line of lines) {
          if (line === null) continue;
          const bytes = Buffer.from(line);
          expect(line.endsWith('\r\n')).toBe(true);
          expect([...bytes.subarray(0, -2)].filter((octet) => octet < 0x20 || octet === 0x7f)).toEqual([]);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
