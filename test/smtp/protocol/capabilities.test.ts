import { describe, expect, it } from 'vitest';
import { NO_CAPABILITIES, parseCapabilities } from '../../../src/smtp/protocol/capabilities.ts';

describe('parseCapabilities', () => {
  it('reads what the usual server offers', () => {
    const text =
      'mx.example.com at your service\nPIPELINING\nSIZE 35882577\n8BITMIME\nSTARTTLS\nAUTH LOGIN PLAIN\nSMTPUTF8\nCHUNKING\nDSN\nREQUIRETLS';
    expect(parseCapabilities(text)).toMatchObject({
      pipelining: true,
      chunking: true,
      eightBitMime: true,
      smtpUtf8: true,
      dsn: true,
      startTls: true,
      requireTls: true,
      size: true,
      maxSize: 35_882_577,
      auth: new Set(['LOGIN', 'PLAIN']),
    });
  });

  it.each([
    ['small letters', 'x\npipelining\nauth login', { pipelining: true, auth: new Set(['LOGIN']) }],
    ['AUTH= of old servers', 'x\nAUTH=LOGIN PLAIN\nAUTH CRAM-MD5', { auth: new Set(['LOGIN', 'PLAIN', 'CRAM-MD5']) }],
    ['SIZE without a number', 'x\nSIZE', { size: true, maxSize: 0 }],
    ['SIZE 0', 'x\nSIZE 0', { size: true, maxSize: 0 }],
    ['a SIZE that is no number', 'x\nSIZE many', { size: true, maxSize: 0 }],
    ['LIMITS', 'x\nLIMITS RCPTMAX=20 MAILMAX=5', { maxRecipients: 20 }],
    ['a greeting that looks like an extension', 'STARTTLS', { startTls: false }],
    ['nothing', '', { pipelining: false, size: false, auth: new Set() }],
  ])('reads %s', (_, text, expected) => {
    expect(parseCapabilities(text)).toMatchObject(expected);
  });

  it('takes nothing for granted after HELO', () => {
    expect(Object.values(NO_CAPABILITIES).filter((value) => value === true)).toEqual([]);
  });
});
