/** Texts, which are passed over, to their end or that of everything; and numbers. */
const TOKENS = /"(?:[^"\\]|\\.)*(?:"|\\?$)|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
const LONG = /\d{16}/;

/** JSON as it is read, but that integers that a number cannot hold are texts: they are ids. Undefined when it is no JSON. */
export function parseExactJson(text: string): unknown {
  if (text === '') return undefined; // a yes without words is common, and errors are slow to make
  const exact = LONG.test(text) ? text.replaceAll(TOKENS, quoteLong) : text;
  try {
    return JSON.parse(exact);
  } catch {
    return undefined;
  }
}

function quoteLong(token: string): string {
  return /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token;
}
