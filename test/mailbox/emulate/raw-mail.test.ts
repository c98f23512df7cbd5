import { expect, test } from 'vitest';
import { rawMail } from '../../../src/mailbox/emulate/raw-mail.ts';

const HEADERS = ['From: a@example.com', 'To: b@example.org', 'X-Bcc: kept'];
const BODY = 'Bcc: not a header\r\n\r\nBcc: nor this';
const read = (mail: string) => {
  const { source, ...rest } = rawMail(Buffer.from(mail));
  return { source: Buffer.from(source).toString(), ...rest };
};
const written = (headers: readonly string[], line: string): string =>
  [...headers, '', BODY].join('\r\n').replaceAll('\r\n', line);

test.each([
  ['first', 0],
  ['between others', 2],
  ['last', 3],
])('Bcc is taken out where it is %s, and all else stays', (_, at) => {
  const bcc = 'BCC : Cid <c@example.org>,\r\n d@example.org';
  for (const line of ['\r\n', '\n']) {
    expect(read(written(HEADERS.toSpliced(at, 0, bcc), line))).toEqual({
      source: written(HEADERS, line),
      from: 'a@example.com',
      recipients: ['b@example.org', 'c@example.org', 'd@example.org'],
    });
  }
});

test('a mail without Bcc, or without a text, is as it was', () => {
  expect(read(written(HEADERS, '\r\n')).source).toBe(written(HEADERS, '\r\n'));
  expect(read('Bcc: c@example.org\r\nTo: b@example.org\r\n').source).toBe('To: b@example.org\r\n');
  expect(read('To: b@example.org\r\nBcc: c@example.org').source).toBe('To: b@example.org\r\n');
});

test.each([
  ['nobody', 'From: a@example.com\r\n\r\nx', /must name a recipient/],
  ['what is no address', 'To: nobody\r\n\r\nx', /nobody/],
])('a mail to %s is refused', (_, mail, text) => {
  expect(() => rawMail(Buffer.from(mail))).toThrow(text);
});
