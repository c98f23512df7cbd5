/** Anything that is not ASCII. */
export const NON_ASCII: RegExp = /[^\0-\x7f]/;

/** Invisible characters, which UTS 46 drops, so two different strings would be one domain; it checks joiners itself. */
export const IGNORABLE: RegExp = /(?![\u200c\u200d])[\p{Default_Ignorable_Code_Point}\p{Cs}]/u;

/** The source of a pattern for one label of a host name (RFC 1123, section 2.1). */
export const LABEL = '[A-Za-z\\d](?:[A-Za-z\\d-]{0,61}[A-Za-z\\d])?';

const HOST = /* @__PURE__ */ (() => new RegExp(`^(?:${LABEL}\\.)*${LABEL}$`))();
const MAX_HOST_LENGTH = 253;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** The domain as A-labels (UTS 46, non-transitional), or null when it is not a domain name; ASCII is unchanged. */
export function toAsciiDomain(domain: string): string | null {
  if (domain.length > MAX_HOST_LENGTH) return null;
  const ascii = NON_ASCII.test(domain) ? mapDomain(domain) : domain;
  return ascii.length <= MAX_HOST_LENGTH && HOST.test(ascii) ? ascii : null;
}

/** Whether the text fits between the brackets of an address literal: IPv4, or `IPv6:` and an address (RFC 5321, section 4.1.3). */
export function isAddressLiteral(text: string): boolean {
  if (IPV4.test(text)) return true;
  return /^IPv6:[\da-f:.]{2,45}$/i.test(text) && parseHost(`[${text.slice(5)}]`) !== '';
}

function mapDomain(domain: string): string {
  // The URL parser would decode percent signs and end the host at a slash: refuse them first.
  if (IGNORABLE.test(domain) || /[^a-z\d.\x80-\u{10FFFF}-]/iu.test(domain)) return '';
  return parseHost(domain);
}

function parseHost(host: string): string {
  try {
    return new URL(`http://${host}`).hostname;
  } catch {
    return '';
  }
}
