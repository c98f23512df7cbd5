import { describe, expect, it } from 'vitest';
import { EmailConnectionError } from '../../src/model/errors.ts';
import { readTokenAnswer, redact } from '../../src/net/oauth-answer.ts';
import { fc } from '../properties.ts';

const SECRET = 's3cr3t &token+';

/** What an endpoint may say, right and wrong, with the secret anywhere. */
const value = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(SECRET, encodeURIComponent(SECRET), 'Bearer', 'bearer', 'a.b-c', '3600', 'invalid_grant', ''),
  fc.double(),
  fc.jsonValue(),
);
const names = ['access_token', 'token_type', 'expires_in', 'refresh_token', 'error', 'error_description'] as const;
const fields = fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
const body = fc.oneof(
  fields.map((answer) => JSON.stringify(answer)),
  fc.string(),
  fc.json(),
);

describe('any answer of a token endpoint', () => {
  it('is a token that can be sent, or an error that shows no secret', () => {
    fc.assert(
      fc.property(body, fc.integer({ min: 200, max: 599 }), (text, status) => {
        try {
          const granted = readTokenAnswer({ host: 'login.example.com', status, body: text, secrets: [SECRET] });
          expect(status).toBeLessThan(300);
          expect(granted.accessToken).toMatch(/^[!-~]+$/);
          expect(granted.refreshToken ?? 'none').toMatch(/^[ -~]+$/);
          expect(granted.expiresIn).toBeGreaterThanOrEqual(0);
        } catch (error) {
          if (!(error instanceof EmailConnectionError)) throw error;
          const shown = `${error.message} ${error.reply?.text}`;
          expect(shown).not.toContain(SECRET);
          expect(shown).not.toContain(encodeURIComponent(SECRET));
          expect(shown).not.toMatch(/\p{Cc}/u);
          expect(shown.length).toBeLessThan(2_000);
        }
      }),
    );
  });
});

describe('redact', () => {
  it.each([
    ['a s3cr3t b', ['s3cr3t'], 'a *** b'],
    ['s3cr3t-longer s3cr3t', ['s3cr3t', 's3cr3t-longer'], '*** ***'],
    ['a%26b a&b', ['a&b'], '*** ***'],
    ['secret=8Q%7Ex+%28y%29%21&scope=a', ['8Q~x (y)!'], 'secret=***&scope=a'],
    ['nothing', [''], 'nothing'],
  ])('%s without %j is %s', (text, secrets, expected) => {
    expect(redact(text, secrets)).toBe(expected);
  });
});
