const TOKEN_LENGTH = 32;

// Filled 256 tokens at a time: asking the system for 16 bytes costs more than the rest of a small message.
const pool = /* @__PURE__ */ new Uint8Array((TOKEN_LENGTH / 2) * 256);
let digits = '';
let used = 0;

/** 128 random bits as 32 hexadecimal digits, for a Message-ID or a boundary. */
export function randomToken(): string {
  if (used === digits.length) {
    digits = Buffer.from(crypto.getRandomValues(pool)).toString('hex');
    used = 0;
  }
  used += TOKEN_LENGTH;
  return digits.slice(used - TOKEN_LENGTH, used);
}
