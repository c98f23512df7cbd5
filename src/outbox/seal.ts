import { ConfigurationError } from '../model/errors.ts';
import type { Blob } from './store.ts';

/** Keys to seal with: 32 bytes, or their base64 or hexadecimal digits. Of several the first one seals; the others only open. */
export type SealKey = string | Uint8Array | readonly (string | Uint8Array)[];

const KEY_BYTES = 32;
/** Of what tells which key it was. */
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED_BYTES = 1 + ID_BYTES + NONCE_BYTES + TAG_BYTES;
/** The first byte of what is kept. */
const PLAIN = 0;
const SEALED = 1;
/** Contents that are remembered as they are kept: a newsletter has the same for everybody. */
const REMEMBERED = 16;

/** What was kept is not what was written: no further try reads it. */
export class DamagedContent extends Error {}

interface Key {
  readonly id: Buffer;
  readonly bytes: Buffer;
}

/** How contents are kept at rest: as they are, or sealed with AES-256-GCM. */
export class Seal {
  readonly #keys: readonly Key[];
  /** By their hashes: a caller may fill the same buffer anew for the next mail. */
  readonly #recent = new Map<string, Blob>();

  /** @throws {ConfigurationError} `invalid-option` for what is no key of 32 bytes; the key is not shown. */
  constructor(keys: SealKey | undefined) {
    const list = keys === undefined ? [] : typeof keys === 'string' || keys instanceof Uint8Array ? [keys] : keys;
    this.#keys = list.map((each) => keyOf(readKey(each)));
  }

  close(bytes: Uint8Array): Uint8Array {
    const [key] = this.#keys;
    if (key === undefined) return Buffer.concat([Buffer.of(PLAIN), bytes]);
    const { createCipheriv, randomBytes } = crypto();
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce);
    return Buffer.concat([Buffer.of(SEALED), key.id, nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }

  /**
   * @throws {ConfigurationError} `invalid-key` when the key that it was sealed with is not given
   * @throws {DamagedContent} when it is not as it was written
   */
  open(kept: Uint8Array): Uint8Array {
    if (kept[0] === PLAIN) return kept.subarray(1);
    if (kept[0] !== SEALED || kept.length < SEALED_BYTES) throw new DamagedContent('its content is damaged');
    const key = this.#keys.find(({ id }) => id.equals(kept.subarray(1, 1 + ID_BYTES)));
    if (key !== undefined) return opened(kept.subarray(1 + ID_BYTES), key);
    const why = this.#keys.length === 0 ? 'no sealKey is given' : 'no sealKey that is given opens it';
    throw new ConfigurationError('invalid-key', `a mail of the outbox is sealed, and ${why}`, { option: 'sealKey' });
  }

  /** The content under its hash; of what is sealed the hash tells nothing to who lacks the key. */
  blob(content: string | Uint8Array): Blob {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const [key] = this.#keys;
    const { createHash, createHmac } = crypto();
    const hash = (key === undefined ? createHash('sha256') : createHmac('sha256', key.bytes))
      .update(bytes)
      .digest('hex');
    const known = this.#recent.get(hash);
    if (known !== undefined) return known;
    const blob: Blob = { hash, bytes: this.close(bytes) };
    this.#recent.set(hash, blob);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > REMEMBERED && oldest !== undefined) this.#recent.delete(oldest);
    return blob;
  }
}

function opened(sealed: Uint8Array, { bytes }: Key): Uint8Array {
  const end = sealed.length - TAG_BYTES;
  const decipher = crypto().createDecipheriv('aes-256-gcm', bytes, sealed.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(end));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch (cause) {
    throw new DamagedContent('its sealed content is damaged', { cause });
  }
}

/** Its id tells nothing of the key. */
function keyOf(bytes: Buffer): Key {
  const id = crypto().createHmac('sha256', bytes).update('amsdal-mail outbox key').digest().subarray(0, ID_BYTES);
  return { id, bytes };
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
