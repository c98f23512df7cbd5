import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { generateCertificate, serialNumber } from '../../src/smtp-server/certificate.ts';

/** Whether octets are an INTEGER of DER above zero. */
function isPositiveInteger([first = 0, second = 0, ...rest]: Uint8Array): boolean {
  return rest.length > 0 && (first > 0 ? first < 0x80 : second >= 0x80);
}

test('whatever the random octets are, the serial number is a positive INTEGER that is not padded', () => {
  const wrong: string[] = [];
  for (let begin = 0; begin <= 0xffff; begin += 1) {
    const serial = serialNumber(Uint8Array.of(begin >> 8, begin & 0xff, 0, 0, 0, 0, 0, 0, 1));
    if (!isPositiveInteger(Buffer.from(serial, 'hex'))) wrong.push(serial);
  }
  expect(wrong).toEqual([]);
});

test('two numbers differ', () => {
  expect(serialNumber(Uint8Array.of(0, 1))).not.toBe(serialNumber(Uint8Array.of(0, 2)));
});

test('the certificate that is made can be used', async () => {
  const made = await generateCertificate();
  expect(new X509Certificate(made.cert).serialNumber).toMatch(/^[4-7][0-9A-F]{17}$/);
  expect(() => createSecureContext(made)).not.toThrow();
});
