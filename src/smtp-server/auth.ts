import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { saslPrep } from '../util/sasl-prep.ts';

/** The SASL mechanisms the receiver knows. */
export type AuthMechanism =
  | 'PLAIN'
  | 'LOGIN'
  | 'CRAM-MD5'
  | 'SCRAM-SHA-1'
  | 'SCRAM-SHA-256'
  | 'XOAUTH2'
  | 'OAUTHBEARER';

/** A client's credentials, for `onAuth` to judge. */
export interface AuthAttempt {
  readonly mechanism: AuthMechanism;
  readonly username: string;
  /** The password of PLAIN and LOGIN, the token of XOAUTH2 and OAUTHBEARER; null for mechanisms that do not send it. */
  readonly secret: string | null;
  /** Whether the client knows this password or token; the only way to judge CRAM-MD5 and SCRAM. */
  matches(secret: string): boolean;
}

/**
 * The server's side of one SASL exchange. `respond` takes the client's next response, decoded, and returns the next
 * challenge, the attempt to judge, or null when the response is malformed. `conclude` may return one more challenge after
 * the verdict, whose response is ignored.
 */
export interface AuthExchange {
  respond(response: string): string | AuthAttempt | null;
  conclude?(accepted: boolean): string | null;
}

/** Starts an exchange, by mechanism. */
export const AUTH_EXCHANGES: Readonly<Record<AuthMechanism, () => AuthExchange>> = {
  PLAIN: () => ({ respond: readPlain }),
  LOGIN: login,
  'CRAM-MD5': cramMd5,
  'SCRAM-SHA-1': () => scram('SCRAM-SHA-1', 'sha1', 20),
  'SCRAM-SHA-256': () => scram('SCRAM-SHA-256', 'sha256', 32),
  XOAUTH2: () => token('XOAUTH2', 'user='),
  OAUTHBEARER: () => token('OAUTHBEARER', 'n,a='),
};

/** The challenge before the client's first response; '' for mechanisms where the client speaks first. */
export function firstChallenge(mechanism: AuthMechanism, exchange: AuthExchange): string {
  if (mechanism !== 'LOGIN' && mechanism !== 'CRAM-MD5') return '';
  const challenge = exchange.respond('');
  return typeof challenge === 'string' ? challenge : '';
}

function plaintext(mechanism: AuthMechanism, username: string, secret: string): AuthAttempt {
  return { mechanism, username, secret, matches: (other) => other === secret };
}

/** RFC 4616: `[authzid] NUL authcid NUL passwd`. */
function readPlain(response: string): AuthAttempt | null {
  const [, username, password, extra] = response.split('\0');
  return username && password !== undefined && extra === undefined ? plaintext('PLAIN', username, password) : null;
}

/** draft-murchison-sasl-login: `Username:` and `Password:`; the username may be an initial response. */
function login(): AuthExchange {
  let username = '';
  let step = 0;
  return {
    respond(response) {
      step++;
      if (step === 1 && response === '') return 'Username:';
      if (username === '') {
        username = response;
        return username === '' ? null : 'Password:';
      }
      return plaintext('LOGIN', username, response);
    },
  };
}

/** RFC 2195: the client answers a nonce with `user hex(HMAC-MD5(password, nonce))`. */
function cramMd5(): AuthExchange {
  const nonce = `<${randomBytes(12).toString('hex')}@receiver>`;
  let wasSent = false;
  return {
    respond(response) {
      if (!wasSent) {
        wasSent = true;
        return response === '' ? nonce : null;
      }
      const space = response.lastIndexOf(' ');
      if (space < 1) return null;
      const digest = response.slice(space + 1);
      return {
        mechanism: 'CRAM-MD5',
        username: response.slice(0, space),
        secret: null,
        matches: (password) =>
          same(Buffer.from(digest), Buffer.from(createHmac('md5', password).update(nonce).digest('hex'))),
      };
    },
  };
}

/** RFC 5802 and RFC 7677, without channel binding. */
function scram(mechanism: 'SCRAM-SHA-1' | 'SCRAM-SHA-256', hash: string, length: number): AuthExchange {
  const salt = randomBytes(16);
  const iterations = 4096;
  let clientFirst = '';
  let serverFirst = '';
  let nonce = '';
  let username = '';
  let serverFinal: string | null = null;
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
  return {
    respond(response) {
      if (clientFirst === '') {
        const match = /^[ny],(?:a=[^,]*)?,(n=([^,]+),r=([!-+\--~]+))$/.exec(response);
        if (match === null) return null;
        clientFirst = match[1] ?? '';
        username = (match[2] ?? '').replaceAll('=2C', ',').replaceAll('=3D', '=');
        nonce = `${match[3]}${randomBytes(12).toString('hex')}`;
        serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
        return serverFirst;
      }
      const match = /^(c=[A-Za-z0-9+/=]+,r=([^,]+)),p=([A-Za-z0-9+/=]+)$/.exec(response);
      if (match === null || match[2] !== nonce) return null;
      const signed = `${clientFirst},${serverFirst},${match[1]}`;
      const proof = Buffer.from(match[3] ?? '', 'base64');
      return {
        mechanism,
        username,
        secret: null,
        matches(password) {
          const salted = pbkdf2Sync(saslPrep(password), salt, iterations, length, hash);
          const clientKey = hmac(salted, 'Client Key');
          const signature = hmac(createHash(hash).update(clientKey).digest(), signed);
          const expected = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)));
          if (!same(proof, expected)) return false;
          serverFinal = `v=${hmac(hmac(salted, 'Server Key'), signed).toString('base64')}`;
          return true;
        },
      };
    },
    conclude: (accepted) => (accepted ? serverFinal : null),
  };
}

/** RFC 7628 and the older XOAUTH2: a refused token is explained in JSON before the 535. */
function token(mechanism: 'XOAUTH2' | 'OAUTHBEARER', prefix: string): AuthExchange {
  return {
    respond(response) {
      const [user = '', ...pairs] = response.split('\x01');
      const bearer = pairs.find((pair) => /^auth=Bearer ./i.test(pair));
      if (!user.startsWith(prefix) || bearer === undefined || !response.endsWith('\x01\x01')) return null;
      return plaintext(mechanism, user.slice(prefix.length).replace(/,$/, ''), bearer.slice('auth=Bearer '.length));
    },
    conclude: (accepted) =>
      accepted
        ? null
        : JSON.stringify({
            status: mechanism === 'XOAUTH2' ? '401' : 'invalid_token',
            schemes: 'bearer',
            scope: 'mail',
          }),
  };
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
