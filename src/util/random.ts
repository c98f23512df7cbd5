const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

// Filled 256 tokens at a time: asking the system for 16 octets costs more than all else about a small message.
const pool = new Uint8Array(16 * 256);
let used = pool.length;

/** 128 random bits, fit for a Message-ID or a boundary, as 32 hexadecimal digits. */
export function randomToken(): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let token = '';
  for (const end = used + 16; used < end; used++) token += HEX[pool[used] ?? 0];
  return token;
}
