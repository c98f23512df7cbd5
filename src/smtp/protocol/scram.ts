import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { saslPrep } from '../../util/sasl-prep.ts';

/** The most PBKDF2 rounds a server may ask for: a hostile one could keep a processor busy for hours (RFC 7804, section 7). */
const MAX_ITERATIONS = 10_000_000;
/** What a client without channel binding says (RFC 5802, section 7): `n,,`, and its base64. */
const GS2_HEADER = 'n,,';
const CHANNEL_BINDING = 'biws';

const derive = /* @__PURE__ */ promisify(pbkdf2);

/** The server has not proved that it knows the password. */
export class ProofError extends Error {}

/** A SCRAM exchange (RFC 5802, RFC 7677); each step takes the server's decoded challenge and gives the answer to it. */
export interface ScramClient {
  readonly first: string;
  /** Answers server-first-message. */
  proof(serverFirst: string): Promise<string>;
  /** Checks server-final-message: it proves that the server knows the password too. */
  verify(serverFinal: string): void;
}

/** Starts an exchange; `nonce` is for tests. @throws {Error} from the steps when the server does not follow the protocol */
export function scram(
  hash: 'sha1' | 'sha256',
  username: string,
  password: string,
  nonce: string = randomBytes(24).toString('base64'),
): ScramClient {
  const name = saslPrep(username).replaceAll('=', '=3D').replaceAll(',', '=2C');
  const bare = `n=${name},r=${nonce}`;
  let signature: Buffer | null = null;
  const hmac = (key: Uint8Array, text: string): Buffer => createHmac(hash, key).update(text).digest();
  return {
    first: GS2_HEADER + bare,
    async proof(serverFirst) {
      const [, serverNonce = '', salt = '', rounds = ''] =
        /^r=([!-+\--~]+),s=([A-Za-z0-9+/]+={0,2}),i=(\d{1,9})(?:,|$)/.exec(serverFirst) ?? [];
      const iterations = Number(rounds);
      if (!serverNonce.startsWith(nonce) || serverNonce === nonce)
        throw new Error('the server answered to another nonce');
      if (iterations < 1 || iterations > MAX_ITERATIONS) throw new Error(`the server asks for ${rounds} PBKDF2 rounds`);
      const keyLength = hash === 'sha1' ? 20 : 32;
      const salted = await derive(saslPrep(password), Buffer.from(salt, 'base64'), iterations, keyLength, hash);
      const clientKey = hmac(salted, 'Client Key');
      const withoutProof = `c=${CHANNEL_BINDING},r=${serverNonce}`;
      const transcript = `${bare},${serverFirst},${withoutProof}`;
      const clientSignature = hmac(createHash(hash).update(clientKey).digest(), transcript);
      signature = hmac(hmac(salted, 'Server Key'), transcript);
      for (const [index, byte] of clientSignature.entries()) clientKey[index] = (clientKey[index] ?? 0) ^ byte;
      return `${withoutProof},p=${clientKey.toString('base64')}`;
    },
    verify(serverFinal) {
      const given = Buffer.from(/^v=([A-Za-z0-9+/]+={0,2})(?:,|$)/.exec(serverFinal)?.[1] ?? '', 'base64');
      if (!signature || given.length !== signature.length || !timingSafeEqual(given, signature)) {
        throw new ProofError('the server could not prove that it knows the password');
      }
    },
  };
}
