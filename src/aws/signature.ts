import type { KeyObject } from 'node:crypto';
import { ConfigurationError } from '../model/errors.ts';
import type { Body } from '../net/transport.ts';

/** Keys of an AWS account. */
export interface AwsKeys {
  /** The id of the key. */
  readonly accessKeyId: string;
  /** The key itself; never shown. */
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined;
}

/** A request to be signed. */
export interface Unsigned {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Beside `host`; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}

/** What a signature is good for. */
export interface Scope {
  /** Null for a request that any region may answer, which is signed with Signature Version 4A. */
  readonly region: string | null;
  /** The signing name of the service, as `ses`. */
  readonly service: string;
}

type Crypto = typeof import('node:crypto');

/** What proxies and clients change on the way, and no signature may cover. */
const UNSIGNABLE: ReadonlySet<string> = new Set([
  ...['authorization', 'cache-control', 'connection', 'expect', 'from', 'keep-alive', 'max-forwards', 'pragma'],
  ...['referer', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'user-agent', 'x-amzn-trace-id'],
]);

/** A URL, as it is signed. */
interface Target {
  readonly url: string;
  readonly host: string;
  /** The path and the query, on a line each. */
  readonly resource: string;
}

/** The key of a day, which is derived once. */
interface DayKey {
  readonly keys: AwsKeys;
  readonly day: string;
  readonly key: Buffer | KeyObject;
}

/**
 * Signs requests to AWS with Signature Version 4, or 4A where any region may answer
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
 */
export class Signer {
  readonly #scope: Scope;
  #known: DayKey | null = null;
  #target: Target | null = null;
  #stamp = { second: Number.NaN, text: '' };
  #names: { readonly all: string; readonly signed: readonly string[] } | null = null;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /**
   * All headers of the request, the signature among them.
   *
   * @throws {ConfigurationError} `invalid-credentials` for keys that cannot be written in a header.
   */
  sign({ method, url, headers, body }: Unsigned, keys: AwsKeys, now: Date): Readonly<Record<string, string>> {
    const { region, service } = this.#scope;
    const { host, resource } = this.#targetOf(url);
    const stamp = this.#stampOf(now);
    const day = stamp.slice(0, 8);
    const bodyHash = sha256(body);
    // Members that follow a spread would cost more than the signature.
    const all: Record<string, string> = {
      host,
      'x-amz-date': stamp,
      'x-amz-content-sha256': bodyHash,
      authorization: '',
      ...headers,
      ...(region === null && { 'x-amz-region-set': '*' }),
      ...(keys.sessionToken && { 'x-amz-security-token': keys.sessionToken }),
    };
    const names = this.#signedOf(all);
    const signedHeaders = names.join(';');
    let lines = '';
    for (const name of names) lines += `${name}:${all[name]?.trim().replace(/\s+/g, ' ')}\n`;
    const canonical = `${method}\n${resource}\n${lines}\n${signedHeaders}\n${bodyHash}`;
    const algorithm = region === null ? 'AWS4-ECDSA-P256-SHA256' : 'AWS4-HMAC-SHA256';
    const scope = `${day}/${region === null ? '' : `${region}/`}${service}/aws4_request`;
    const text = `${algorithm}\n${stamp}\n${scope}\n${sha256(canonical)}`;
    const signature = this.#signature(text, this.#keyOf(keys, day));
    all['authorization'] =
      `${algorithm} Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
    return all;
  }

  /** The time in seconds, as `20261201T120000Z`; mostly that of the request before. */
  #stampOf(now: Date): string {
    const second = Math.floor(now.getTime() / 1_000);
    if (this.#stamp.second !== second) {
      this.#stamp = { second, text: now.toISOString().replace(/[-:]|\.\d{3}/g, '') };
    }
    return this.#stamp.text;
  }

  /** The names of the headers that are signed, in their order; mostly those of the request before. */
  #signedOf(headers: object): readonly string[] {
    const given = Object.keys(headers);
    const all = given.join();
    if (this.#names?.all !== all) this.#names = { all, signed: given.filter(isSigned).sort() };
    return this.#names.signed;
  }

  /** Requests go to the same place, most of the time. */
  #targetOf(url: string): Target {
    if (this.#target?.url !== url) {
      const { host, pathname, searchParams } = new URL(url);
      this.#target = { url, host, resource: `${canonicalPath(pathname)}\n${canonicalQuery(searchParams)}` };
    }
    return this.#target;
  }

  #signature(text: string, key: Buffer | KeyObject): string {
    if (Buffer.isBuffer(key)) return crypto().createHmac('sha256', key).update(text).digest('hex');
    return crypto().sign('sha256', Buffer.from(text), key).toString('hex');
  }

  #keyOf(keys: AwsKeys, day: string): Buffer | KeyObject {
    const known = this.#known;
    if (known?.keys === keys && known.day === day) return known.key;
    checkKeys(keys);
    const { region, service } = this.#scope;
    const key =
      region === null
        ? asymmetricKey(keys)
        : [day, region, service, 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${keys.secretAccessKey}`));
    this.#known = { keys, day, key };
    return key;
  }
}

/** What runtimes say of a header that they do not take may repeat it. */
function checkKeys({ accessKeyId, secretAccessKey, sessionToken = '' }: AwsKeys): void {
  const given: Readonly<Record<string, unknown>> = { accessKeyId, secretAccessKey, sessionToken };
  const wrong = Object.keys(given).find((name) => {
    const value = given[name];
    return typeof value !== 'string' || /[^\x20-\x7e]/.test(value);
  });
  if (wrong === undefined) return;
  const text = `AWS: ${wrong} is no text of printable ASCII characters: give it as AWS does, without line breaks`;
  throw new ConfigurationError('invalid-credentials', text, { option: wrong });
}

/** The order of the curve P-256 (FIPS 186-5), less two. */
const P256_N_MINUS_2 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254fn;

/** The private key that Signature Version 4A derives from a secret one (NIST SP 800-108, in counter mode). */
export function asymmetricKey({ accessKeyId, secretAccessKey }: AwsKeys): KeyObject {
  const { createECDH, createPrivateKey } = crypto();
  for (let counter = 1; ; counter++) {
    const context = Buffer.concat([
      Buffer.from(`\0\0\0\x01AWS4-ECDSA-P256-SHA256\0${accessKeyId}`),
      Buffer.of(counter),
    ]);
    const derived = hmac(Buffer.from(`AWS4A${secretAccessKey}`), Buffer.concat([context, Buffer.of(0, 0, 1, 0)]));
    const candidate = BigInt(`0x${derived.toString('hex')}`);
    if (candidate > P256_N_MINUS_2) continue;
    const d = Buffer.from((candidate + 1n).toString(16).padStart(64, '0'), 'hex');
    const pair = createECDH('prime256v1');
    pair.setPrivateKey(d);
    const point = pair.getPublicKey();
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
    const key = { kty: 'EC', crv: 'P-256', d: d.toString('base64url'), x: x ?? '', y: y ?? '' };
    return createPrivateKey({ key, format: 'jwk' });
  }
}

function isSigned(name: string): boolean {
  return !UNSIGNABLE.has(name) && !/^(?:proxy|sec)-/.test(name);
}

/**
 * The path, encoded once more than it is in the URL, as every service but S3 wants it. Dot segments are resolved here, too: the
 * URL of Node 20 leaves some, as in `/a/.b/.`.
 */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const end = path.endsWith('/') && segments.length > 0 ? '/' : '';
  return `/${segments.map(encoded).join('/')}${end}`;
}

function canonicalQuery(query: URLSearchParams): string {
  const pairs = [...query].map(([name, value]) => [encoded(name), encoded(value)] as const);
  const inOrder = pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return inOrder.map((pair) => pair.join('=')).join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** RFC 3986, section 2.3: all but the unreserved characters. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(content: Body): string {
  const { createHash, hash } = crypto();
  // At once where the runtime can: an object for each hash costs more than the hash.
  if (typeof content === 'string' && hash !== undefined) return hash('sha256', content, 'hex');
  const whole = createHash('sha256');
  for (const chunk of typeof content === 'string' ? [content] : content) whole.update(chunk);
  return whole.digest('hex');
}

function hmac(key: Buffer, text: string | Uint8Array): Buffer {
  return crypto().createHmac('sha256', key).update(text).digest();
}

function crypto(): Omit<Crypto, 'hash'> & Partial<Pick<Crypto, 'hash'>> {
  return process.getBuiltinModule('node:crypto');
}
