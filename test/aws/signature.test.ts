import { createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AwsKeys, asymmetricKey, Signer } from '../../src/aws/signature.ts';

/** What the signer of the SDK hashes with. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash>;
  constructor(secret?: string | Uint8Array | ArrayBuffer) {
    this.#hash = (
      secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Uint8Array)
    ) as ReturnType<typeof createHash>;
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

const text = fc.string({ unit: 'binary', maxLength: 12 });
// Names that objects have by themselves get lost in the SDK's.
const word = fc.stringMatching(/^[A-Za-z0-9~.+=!'()*&;@-]{1,10}$/);
const headers = fc.dictionary(
  fc.stringMatching(/^x-[a-z0-9-]{1,12}$/),
  fc.stringMatching(/^[!-~]([\t -~]{0,20}[!-~])?$/),
  { maxKeys: 5 },
);
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  host: fc.constantFrom('email.eu-west-1.amazonaws.com', '127.0.0.1:8005', 'localhost'),
  segments: fc.array(fc.oneof(word, text), { maxLength: 4 }),
  isFolder: fc.boolean(),
  query: fc.array(fc.tuple(word, text), { maxLength: 4 }),
  headers,
  body: fc.oneof(text, fc.uint8Array({ maxLength: 30 })),
  keys: fc.record({
    accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/),
    secretAccessKey: fc.stringMatching(/^[A-Za-z0-9/+]{40}$/),
    sessionToken: fc.option(fc.stringMatching(/^[A-Za-z0-9/+=]{20}$/), { nil: undefined }),
  }),
  region: fc.constantFrom('us-east-1', 'eu-west-1', 'cn-north-1'),
  at: fc.date({ min: new Date('2001-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
});

test('signs as the signer of the SDK does, 10,000 requests', { timeout: 120_000 }, async () => {
  const signs = fc.asyncProperty(request, async (given) => {
    const { method, host, segments, isFolder, query, body, keys, region, at } = given;
    const path = `/${segments.map(encodeURIComponent).join('/')}${isFolder ? '/' : ''}`;
    const url = `https://${host}${path}?${query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')}`;
    const { pathname } = new URL(url);
    const unsigned = { method, url, headers: given.headers, body: typeof body === 'string' ? body : [body] };
    const ours = new Signer({ region, service: 'ses' }).sign(unsigned, keys, at);
    const several: Record<string, string[]> = Object.create(null);
    for (const [name, value] of query) several[name] = [...(several[name] ?? []), value];
    const signer = new SignatureV4({
      service: 'ses',
      region,
      credentials: keys as AwsKeys & { sessionToken?: string },
      sha256: Sha256 as never, // its type has an overload for checksums
    });
    const theirs: unknown = await signer.sign(
      {
        method,
        protocol: 'https:',
        hostname: host,
        path: pathname,
        query: several,
        headers: { ...given.headers, host },
        body,
      } as never, // an HttpRequest has a clone method that is not used here
      { signingDate: at },
    );
    expect(ours).toEqual((theirs as { readonly headers: object }).headers); // it signs requests and texts by one method
  });
  const keys = { accessKeyId: 'A'.repeat(16), secretAccessKey: '0'.repeat(40), sessionToken: undefined };
  const place = { method: 'GET', host: 'localhost', region: 'us-east-1' } as const;
  const dots = { segments: ['a', '.b', '.'], isFolder: false, query: [], headers: {}, body: '' };
  const example = { ...place, ...dots, keys, at: new Date('2001-01-01') };
  await fc.assert(signs, { numRuns: 10_000, examples: [[example]] });
});

describe('Signature Version 4A', () => {
  // The key pair that AWS publishes for its example credentials
  // (https://github.com/awslabs/aws-c-auth, tests/aws-signing-test-suite/v4a, public-key.json).
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

  test('derives the key that AWS does', () => {
    const { x, y } = createPublicKey(asymmetricKey(keys) as never).export({ format: 'jwk' }); // its type wants text
    expect([x, y].map((part) => Buffer.from(part ?? '', 'base64url').toString('hex'))).toEqual([
      'b6618f6a65740a99e650b33b6b4b5bd0d43b176d721a3edfea7e7d2d56d936b1',
      '865ed22a7eadc9c5cb9d2cbaca1b3699139fedc5043dc6661864218330c8e518',
    ]);
  });

  test('signs for every region, and its own public key says so', () => {
    const signer = new Signer({ region: null, service: 'ses' });
    const url = 'https://abc.endpoints.email.amazonaws.com/v2/email/outbound-emails';
    const signed = signer.sign({ method: 'POST', url, headers: {}, body: '{}' }, keys, new Date(0));
    const [, head, signature = ''] = /^(.*), Signature=([0-9a-f]+)$/.exec(signed['authorization'] ?? '') ?? [];
    expect(head).toBe(
      'AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/19700101/ses/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-region-set',
    );
    expect(signed['x-amz-region-set']).toBe('*');
    const hash = (value: string) => createHash('sha256').update(value).digest('hex');
    const canonical = [
      'POST',
      '/v2/email/outbound-emails',
      '',
      'host:abc.endpoints.email.amazonaws.com',
      `x-amz-content-sha256:${hash('{}')}`,
      'x-amz-date:19700101T000000Z',
      'x-amz-region-set:*',
      '',
      'host;x-amz-content-sha256;x-amz-date;x-amz-region-set',
      hash('{}'),
    ].join('\n');
    const said = `AWS4-ECDSA-P256-SHA256\n19700101T000000Z\n19700101/ses/aws4_request\n${hash(canonical)}`;
    const publicKey = createPublicKey(asymmetricKey(keys) as never); // its type wants text
    expect(verify('sha256', Buffer.from(said), publicKey, Buffer.from(signature, 'hex'))).toBe(true);
  });
});
