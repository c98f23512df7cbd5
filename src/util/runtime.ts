/**
 * Whether this is workerd, the runtime of Cloudflare Workers: there, sockets and promises belong to the request that created
 * them, so nothing may be kept for the next one.
 */
export function isWorkerd(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers';
}

/** Whether this is Node itself; Bun and Deno have its modules, made of something else. */
export function isNode(): boolean {
  const { process: { versions, getBuiltinModule } = {} } = globalThis as { readonly process?: Partial<NodeJS.Process> };
  const isOther = isWorkerd() || versions?.['bun'] !== undefined || versions?.['deno'] !== undefined;
  return !isOther && versions?.node !== undefined && getBuiltinModule !== undefined;
}
