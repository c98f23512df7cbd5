import { describe, expect, test } from 'vitest';
import { addressHeader, foldHeader, structuredHeader, textHeader } from '../../../src/mime/compose/headers.ts';
import type { Mailbox } from '../../../src/model/address.ts';
import { MessageError } from '../../../src/model/errors.ts';
import { fc } from '../../properties.ts';

const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 90 }),
  fc.constantFrom('\r', '\n', '\r\n', '\r\n ', '\0', ' ', '  ', '\t', 'Bcc: evil@e.example', '\u0085', 'x'.repeat(80)),
);
const hostile = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));

/** What a writer gives, or null where it refuses. */
function written(write: () => string): string | null {
  try {
    return write();
  } catch (error) {
    if (error instanceof MessageError) return null;
    throw error;
  }
}

function mailbox(name: string, address: string): Mailbox {
  return { name, address, localPart: '', domain: '', asciiAddress: address, isAscii: true };
}

describe('S1: one header is one header, whatever the writers are given', () => {
  test.each<[string, (name: string, texts: readonly string[]) => string]>([
    ['textHeader', (name, [value = '']) => textHeader(name, value, false)],
    ['textHeader that encodes', (name, [value = '']) => textHeader(name, value, true)],
    ['structuredHeader', (name, [value = '']) => structuredHeader(name, value)],
    ['foldHeader', (name, texts) => foldHeader(name, texts)],
    [
      'addressHeader',
      (name, texts) =>
        addressHeader(
          name,
          texts.map((text) => mailbox('', text)),
        ),
    ],
    [
      'addressHeader with names',
      (name, texts) =>
        addressHeader(
          name,
          texts.map((text) => mailbox(text, 'a@x.org')),
        ),
    ],
    [
      'addressHeader of groups',
      (name, texts) =>
        addressHeader(name, [{ name: texts[0] ?? '', members: texts.map((text) => mailbox('A', text)) }]),
    ],
  ])('%s', (_, write) => {
    const name = fc.oneof(fc.constantFrom('X-A', 'From', 'Subject'), hostile);
    fc.assert(
      fc.property(name, fc.array(hostile, { minLength: 1, maxLength: 4 }), (given, texts) => {
        const header = written(() => write(given, texts));
        if (header === null) return;
        expect(header.endsWith('\r\n')).toBe(true);
        const [first, ...more] = header.slice(0, -2).split('\r\n');
        expect(first?.startsWith(`${given}:`)).toBe(true);
        for (const line of [first, ...more]) expect(line).not.toMatch(/[\0\r\n]/);
        for (const line of more) expect(line).toMatch(/^ ./);
      }),
    );
  });
});
