import { ConfigurationError } from '../model/errors.ts';
import type { Blob } from './store.ts';

/** Keys to seal with: 32 bytes, or their base64 or hexadecimal digits. Of several the first one seals; the others only open. */
export type SealKey = string | Uint8Array | readonly (string | Uint8Array)[];

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** The first byte of what is kept. */
const PLAIN = 0;
const SEALED = 1;
/** Contents that are remembered as they are kept: a newsletter has the same for everybody. */
const REMEMBERED = 16;

/** How contents are kept at rest: as they are, or sealed with AES-256-GCM. */
export class Seal {
  readonly #keys: readonly Buffer[];
  /** By their hashes: a caller may fill the same buffer anew for the next mail. */
  readonly #recent = new Map<string, Blob>();

  /** @throws {ConfigurationError} `invalid-option` for what is no key of 32 bytes; the key is not shown. */
  constructor(keys: SealKey | undefined) {
    const list = keys === undefined ? [] : typeof keys === 'string' || keys instanceof Uint8Array ? [keys] : keys;
    this.#keys = list.map(readKey);
  }

  close(bytes: Uint8Array): Uint8Array {
    const [key] = this.#keys;
    if (key === undefined) return Buffer.concat([Buffer.of(PLAIN), bytes]);
    const { createCipheriv, randomBytes } = crypto();
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    return Buffer.concat([Buffer.of(SEALED), nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws {ConfigurationError} `invalid-key` when no key that was given opens it. */
  open(kept: Uint8Array): Uint8Array {
    if (kept[0] === PLAIN) return kept.subarray(1);
    for (const key of this.#keys) {
      try {
        return opened(kept, key);
      } catch {
        // sealed with another one, or damaged: no key tells which
      }
    }
    const why = this.#keys.length === 0 ? 'no sealKey is given' : 'no sealKey that is given opens it';
    throw new ConfigurationError('invalid-key', `a mail of the outbox is sealed, and ${why}`, { option: 'sealKey' });
  }

  /** The content under its hash; of what is sealed the hash tells nothing to who lacks the key. */
  blob(content: string | Uint8Array): Blob {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const [key] = this.#keys;
    const { createHash, createHmac } = crypto();
    const hash = (key === undefined ? createHash('sha256') : createHmac('sha256', key)).update(bytes).digest('hex');
    const known = this.#recent.get(hash);
    if (known !== undefined) return known;
    const blob: Blob = { hash, bytes: this.close(bytes) };
    this.#recent.set(hash, blob);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > REMEMBERED && oldest !== undefined) this.#recent.delete(oldest);
    return blob;
  }
}

function opened(kept: Uint8Array, key: Buffer): Uint8Array {
  const nonce = kept.subarray(1, 1 + NONCE_BYTES);
  const tag = kept.subarray(kept.length - TAG_BYTES);
  const decipher = crypto().createDecipheriv('aes-256-gcm', key, nonce);
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(kept.subarray(1 + NONCE_BYTES, kept.length - TAG_BYTES)), decipher.final()]);
}

function readKey(key: string | Uint8Array): Buffer {
  const bytes =
    typeof key === 'string' ? Buffer.from(key, /^[0-9a-f]{64}$/i.test(key) ? 'hex' : 'base64') : Buffer.from(key);
  if (bytes.length !== KEY_BYTES) {
    const text = `sealKey must be ${KEY_BYTES} bytes, or their base64 or hexadecimal digits: openssl rand -base64 32`;
    throw new ConfigurationError('invalid-option', text, { option: 'sealKey' });
  }
  return bytes;
}

function crypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}
