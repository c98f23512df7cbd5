import { isAddressLiteral } from '../../domain.ts';

/** 4 or 6 for an IP address, 0 for anything else. */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (isAddressLiteral(`IPv6:${text}`)) return 6;
  return isAddressLiteral(text) && !/^ipv6/i.test(text) ? 4 : 0;
}
