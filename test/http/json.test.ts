import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Base64, encodeJson, JsonList, jsonOf } from '../../src/http/json.ts';
import type { Encoded } from '../../src/http/provider.ts';

const read = ({ body }: Encoded): string => (typeof body === 'string' ? body : Buffer.concat(body).toString());

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a', 'é', '\n', '\ud83d', '😀').chain((one) => fc.nat(70_000).map((count) => one.repeat(count))),
);
const file = fc
  .oneof(
    fc.uint8Array(),
    fc.nat(100_000).map((octets) => new Uint8Array(octets).map((_, at) => at * 7)),
  )
  .map((bytes) => Buffer.from(bytes));
const mail = fc.record({ subject: text, files: fc.array(file, { maxLength: 3 }), body: text });

/** A mail's body as requests have it, and in JSON as anybody would make it. */
function asked(made: { readonly subject: string; readonly files: readonly Buffer[]; readonly body: string }) {
  const inBase64 = made.files.map((bytes) => bytes.toString('base64'));
  return {
    body: { ...made, files: made.files.map((bytes) => new Base64(bytes)) },
    json: JSON.stringify({ ...made, files: inBase64 }),
  };
}

test('JSON with files is what it would be with their base64 in it', () => {
  fc.assert(
    fc.property(mail, (made) => {
      const { body, json } = asked(made);
      expect(read(encodeJson(jsonOf(body)))).toBe(json);
    }),
    { numRuns: 200 },
  );
});

describe('a list', () => {
  test('has what was added, in its order, in one piece or in many', () => {
    fc.assert(
      fc.property(fc.array(mail, { minLength: 2, maxLength: 8 }), (mails) => {
        const list = new JsonList(['{"all":[', ']}']);
        const all = mails.map(asked);
        for (const { body } of all) list.add(jsonOf(body));
        expect(read(list.encode(true))).toBe(`{"all":[${all.map(({ json }) => json).join(',')}]}`);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    [true, '{"a":1}'],
    [false, '[{"a":1}]'],
  ])('of one, which goes without it %s', (isBare, sent) => {
    const list = new JsonList(['[', ']']);
    list.add(jsonOf({ a: 1 }));
    expect(list.encode(isBare)).toEqual({ type: 'application/json', body: sent });
  });
});
