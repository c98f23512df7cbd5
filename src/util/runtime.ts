/**
 * Whether this is workerd, the runtime of Cloudflare Workers: there, sockets and promises belong to the request that created
 * them, so nothing may be kept for the next one.
 */
export function isWorkerd(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers';
}
