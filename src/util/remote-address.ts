/** Where a request came from, kept with it, as the Fetch standard does not tell; other copies of this package find it, too. */
const REMOTE = /* @__PURE__ */ Symbol.for('amsdal-mail.remote-address');

/** Keeps the address of a socket with a request; none says that it is not known who asked. */
export function keepRemoteAddress(request: Request, address: string | undefined): Request {
  return Object.defineProperty(request, REMOTE, { value: address ?? 'unknown' });
}

/** Whether a request is known to come from another machine, or from nobody knows where. */
export function isRemote(request: Request): boolean {
  const address: unknown = Reflect.get(request, REMOTE);
  return typeof address === 'string' && !/^(?:(?:::ffff:)?127\.[\d.]+|::1)$/i.test(address);
}
